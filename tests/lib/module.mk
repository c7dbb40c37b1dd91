# SPDX-License-Identifier: Apache-2.0
# Suite lib: libsmkernel, with small assets where the real ones would only cost time.

LIB_TEST  := $(B)/lib-test
LIB_SMALL := $(LIB_TEST)/small

$(LIB_SMALL)/assets.h: tests/lib/small-assets.py tests/lib/pack-assets.sh scripts/xz-asset.sh scripts/manifest.sh
	$(Q)tests/lib/small-assets.py $(@D)
	$(Q)tests/lib/pack-assets.sh $(@D)
