// SPDX-License-Identifier: BSD-2-Clause
/* Must crash: a property that some inputs break. Proves that the harness checks properties. */
#include "fuzz.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	assert(size < 2 || data[0] != 'H' || data[1] != 'i');
	return 0;
}
