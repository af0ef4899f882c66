// SPDX-License-Identifier: LGPL-2.1-or-later

#include "vm/guest/guest_internal.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/system.h"

static sigset_t terminal_signals(void)
{
	// To set modes must not stop us (SIGTTOU): QEMU would wait for us.
	static const int signals[] = { SIGWINCH, SIGHUP, SIGQUIT, SIGCONT,
				       SIGTTOU };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < array_size(signals); i++)
		sigaddset(&set, signals[i]);
	return set;
}

static int make_raw(const struct terminal *terminal)
{
	struct termios raw = terminal->saved;

	cfmakeraw(&raw);
	return tcsetattr(terminal->fd, TCSADRAIN, &raw);
}

struct error *terminal_take(struct terminal *terminal, int fd)
{
	sigset_t set = terminal_signals();

	if (tcgetattr(fd, &terminal->saved) < 0)
		return error_create_os(errno, "get the terminal's mode");
	terminal->fd = fd;
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	terminal->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (terminal->signal_fd < 0)
		return error_create_os(errno, "signalfd");
	if (make_raw(terminal) < 0)
		return error_create_os(errno, "set the terminal's mode");
	return NULL;
}

void terminal_restore(struct terminal *terminal)
{
	sigset_t set = terminal_signals();

	if (terminal->fd < 0)
		return;
	// In the background it is somebody else's, who has set it as needed.
	if (foreground_has_terminal(terminal->fd))
		tcsetattr(terminal->fd, TCSADRAIN, &terminal->saved);
	cleanup_close(&terminal->signal_fd);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	*terminal = (struct terminal)TERMINAL_INIT;
}

struct winsize terminal_size(int fd)
{
	struct winsize size = { 0 };

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

struct error *terminal_signal(struct terminal *terminal, bool *resized_ret)
{
	struct signalfd_siginfo info;

	while (read(terminal->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTTOU)
			continue;
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGQUIT)
			return error_create(ERROR_CANCELLED,
					    "ended by signal %u", info.ssi_signo);
		*resized_ret = true;
		// A shell that had stopped us set it for itself.
		if (info.ssi_signo == SIGCONT &&
		    foreground_has_terminal(terminal->fd) &&
		    make_raw(terminal) < 0)
			return error_create_os(errno, "set the terminal's mode");
	}
	return NULL;
}
