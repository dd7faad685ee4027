# SPDX-License-Identifier: MIT
# SUNDIALS is an independent integrator to compare with; nothing but this test links it.
set(LIBS_test_stepper sundials_cvode sundials_nvecserial sundials_sunmatrixdense sundials_sunlinsoldense)
