/* eigen.h: eigenvalues and eigenvectors of symmetric matrices, in double.
 *
 * Why ours: what follows from them decides which checkpoint is best, so the bits may not depend on a library or a thread count.
 * Source: Golub & Van Loan, Matrix Computations: 8.5, the cyclic Jacobi method, by rows; 8.3, Householder's tridiagonal form and
 * implicit QR, for large matrices of which the largest are wanted.
 * Invariants: plain double arithmetic in one order; small eigenvalues are as accurate as the matrix lets them be; ends on NaN, too.
 */
#ifndef LATENTD_CORE_LAB_EIGEN_H
#define LATENTD_CORE_LAB_EIGEN_H

#include <stddef.h>

/* a [n][n], symmetric, is used up. ret_values [n], in no order; ret_vectors [n][n], unless NULL: row i belongs to value i. */
void symmetric_eigen(double *a, size_t n, double *ret_values, double *ret_vectors);
/* The k largest, falling, and a unit vector of each, row i of ret_vectors [k][n]; of equal ones the first found comes first. a is used
 * up, n >= 1; ret_values [n]: all of them. scratch: EIGEN_TOP_SCRATCH(n) doubles. About 5 n^3 operations. Vectors of eigenvalues
 * nearer to each other than rounding are any basis of their plane. */
#define EIGEN_TOP_SCRATCH(n) ((n) * (n) + 3 * (n))
void symmetric_eigen_top(double *a, size_t n, size_t k, double *ret_values, double *ret_vectors, double *scratch);
/* ret_root [n][n]: the symmetric matrix whose square is a (values below 0, which are rounding, count as 0). a is used up; scratch
 * [n][n + 1]. */
void symmetric_root(double *a, size_t n, double *ret_root, double *scratch);

#endif
