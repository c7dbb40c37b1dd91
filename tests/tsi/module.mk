# SPDX-License-Identifier: Apache-2.0
# TSI: its host's side on a socket of its own, for guests that are tested.

TSI_BACKEND := $(B)/debug/tests/tsi/backend
$(TSI_BACKEND): $(call objs,debug,tests/tsi/backend.c tests/tsi/checker.c $(TSI_SRCS))
	$(call link,debug,)
