# SPDX-License-Identifier: Apache-2.0
# Targets about the tree itself.

.PHONY: deps clean help lint format format-check
deps:
	$(Q)scripts/deps.sh

clean:
	rm -rf $(filter-out $(B)/kernel $(B)/apt,$(wildcard $(B)/*))

help:
	@sed -n 's/^#  *make/make/p' Makefile

format:
	clang-format -i $(FORMATTED)

format-check:
	$(Q)clang-format --dry-run -Werror $(FORMATTED) && echo "ok format"

lint:
	$(Q)scripts/lint.sh
