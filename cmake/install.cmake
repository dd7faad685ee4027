# SPDX-License-Identifier: MIT
include(GNUInstallDirs)
install(TARGETS liblfm LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET lfm)
  install(TARGETS lfm RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES include/lfm.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/lfm.pc.in lfm.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/lfm.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
