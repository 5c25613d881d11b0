// SPDX-License-Identifier: BSD-2-Clause
/* Must crash: reads one byte behind its input. Proves that the harness would see it (needs ASan).
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile uint8_t seen = 0;

	if (size >= 2 && data[0] == 'H' && data[1] == 'i')
		seen = data[size];
	(void)seen;
	return 0;
}
