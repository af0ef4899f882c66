# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What cpack makes: a Debian package for the distribution that it runs on, and a
# tarball, whose programs work wherever it is unpacked in that distribution.

set(source ${CPACK_VMTEST_SOURCE_DIR})
cmake_host_system_information(RESULT system QUERY DISTRIB_INFO)
set(distribution ${system_ID}${system_VERSION_ID})

set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_FILE_NAME
  vmtest-${CPACK_PACKAGE_VERSION}-${distribution}-${CPACK_VMTEST_PROCESSOR})
if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()

# A list of packages as a package's fields have it.
function(list_packages variable groups)
  execute_process(COMMAND ${source}/.github/setup --list --only ${groups}
    OUTPUT_VARIABLE list OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  # What only the actions use.
  string(REGEX REPLACE "\ncurl" "" list "${list}")
  string(REPLACE "\n" ", " list "${list}")
  set(${variable} "${list}" PARENT_SCOPE)
endfunction()

list_packages(guest guest)
list_packages(kernel kernel)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${distribution})
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "run any command under any Linux kernel, and build such kernels
vmtest-vm downloads a kernel and runs a command in the userspace of the host
under it, in QEMU. vmtest-kbuild builds such kernels, and vmtest-bot keeps a
store of them up to date with kernel.org.")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "${guest}")
# What builds modules and kernels, and runs those of other architectures.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
  "gcc, make, ${kernel}, bash-completion, gdb, gh, mmdebstrap, python3-drgn, qemu-system, qemu-user-static, uidmap")
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
