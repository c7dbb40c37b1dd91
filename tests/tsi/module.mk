# SPDX-License-Identifier: Apache-2.0
# TSI: its host's side on a socket of its own, for guests that are tested.

TSI_BACKEND := $(B)/debug/tests/tsi/backend
$(TSI_BACKEND): $(call objs,debug,$(addprefix tests/tsi/,backend.c checker.c names.c) $(TSI_SRCS))
	$(call link,debug,)

# Units of the host's side, of the suite host: the guest is made by the test.
TSI_UNITS := $(B)/debug/tests/tsi/units
$(TSI_UNITS): $(call objs,debug,$(addprefix tests/tsi/,units.c units_datagram.c units_hostile.c units_listen.c units_stream.c \
		guest.c) $(TSI_SRCS))
	$(call link,debug,-pthread)
check-host: $(TSI_UNITS)
