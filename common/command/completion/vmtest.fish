# SPDX-License-Identifier: LGPL-2.1-or-later
# The programs know what their command lines can be completed to.

for program in vmtest-bot vmtest-kbuild vmtest-vm
	complete -c $program -a '(
		set -l words (commandline -opc) (commandline -ct)
		$words[1] __complete $words[2..] 2>/dev/null
	)'
end
