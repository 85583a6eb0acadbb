#include "server/cache_dataset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void test_sweep_spares_what_is_held(void **state)
{
	struct shelf shelf;
	struct dataset *d;
	(void)state;
	shelf_init(&shelf, NULL, 0);
	assert_int_equal(shelf_get(&shelf, "fashion-mnist", &d, NULL), OK);
	usleep(3000);
	assert_false(shelf_sweep(&shelf, 1)); /* we hold it */
	dataset_put(d);
	assert_false(shelf_sweep(&shelf, 60000)); /* it was just used */
	usleep(3000);
	assert_true(shelf_sweep(&shelf, 1));
	assert_null(shelf.first);
	assert_false(shelf_sweep(&shelf, 1));
	shelf_fini(&shelf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_sweep_spares_what_is_held)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
