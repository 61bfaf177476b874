# Each target does its own set-up; `python3 dev.py run` works without make.
PYTHON3 ?= python3

.PHONY: run test check bench

run test check bench:
	@$(PYTHON3) dev.py $@ $(ARGS)
