/* augment.h: a training image as it might have been: mirrored, moved, with a part missing.
 *
 * Why: a net that has seen such variants generalises better. Which of them keep the meaning of an image is the data set's matter:
 * a mirrored shoe is a shoe, a mirrored digit is none; so they are chosen one by one.
 * Sources: torchvision's RandomHorizontalFlip(.5), RandomCrop(padding=2), RandomErasing(.5, (.02, .33), (.3, 3.3), value 0)
 * (Zhong et al. 2020), in the order crop, hflip, erase.
 * Invariants: the same image, address and choice give the same bytes, whoever asks.
 */
#ifndef LATENTD_CORE_DATA_AUGMENT_H
#define LATENTD_CORE_DATA_AUGMENT_H

#include "core/base/rng.h"

/* order = choices of the `augment` parameter; a set of them is 1 << each. */
#define AUGMENT_CHOICES "hflip|crop|erase"
enum augment { AUGMENT_HFLIP, AUGMENT_CROP, AUGMENT_ERASE };

/* `to` becomes a variant of `from`, both [c][h][w]. r: stream RNG_AUGMENT and the step; number: of the image in its batch, below
 * 2^28. */
void augment_image(uint8_t *to, const uint8_t *from, int c, int h, int w, unsigned set, struct rng r, uint32_t number);

#endif
