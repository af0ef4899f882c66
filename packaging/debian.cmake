# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What Debian's policy asks of a package beyond what is installed elsewhere.

if(NOT CPACK_GENERATOR STREQUAL "DEB")
  return()
endif()
set(source ${CPACK_VMTEST_SOURCE_DIR})
set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/usr/share)
set(doc ${share}/doc/vmtest)

if(NOT EXISTS ${share}/man/man1/vmtest-vm.1)
  message(FATAL_ERROR "there are no manual pages: install help2man and configure again")
endif()
file(REMOVE ${doc}/LICENSE)
file(COPY_FILE ${source}/packaging/copyright ${doc}/copyright)
# Time stamps are those of SOURCE_DATE_EPOCH, if it is set.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE ${doc}/changelog.Debian
  "vmtest (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * See NEWS.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(GLOB compressed ${share}/man/man1/*.1 ${doc}/changelog.Debian ${doc}/NEWS)
execute_process(COMMAND gzip -9n ${compressed} COMMAND_ERROR_IS_FATAL ANY)
file(MAKE_DIRECTORY ${share}/lintian/overrides)
file(COPY_FILE ${source}/packaging/lintian-overrides ${share}/lintian/overrides/vmtest)
# Where zsh looks for what packages bring.
file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
# By this, the action for other repositories knows that it is made of its own sources.
execute_process(COMMAND ${source}/.github/actions/tool/install --key
  OUTPUT_FILE ${share}/vmtest/key COMMAND_ERROR_IS_FATAL ANY)
