# SPDX-License-Identifier: MIT
include(GNUInstallDirs)
install(TARGETS liblfm LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET lfm)
  install(TARGETS lfm RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
install(FILES include/lfm.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# The folder may be installed under any prefix, or moved: paths in lfm.pc are told from where it lies.
file(RELATIVE_PATH LFM_PREFIX_FROM_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR} ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/lfm.pc.in lfm.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/lfm.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
