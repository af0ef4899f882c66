// SPDX-License-Identifier: LGPL-2.1-or-later

#include "kbuild/source/kernel_org.h"

#include <stdio.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/memory.h"
#include "common/kernel/catalog.h"
#include "common/kernel/tarball.h"

struct error *kernel_org_url(const struct catalog *catalog,
			     const struct kernel_version *version, char **ret)
{
	char text[KERNEL_VERSION_TEXT_SIZE];
	int length;

	kernel_version_format(version, text);
	if (kernel_version_is_rc(version))
		length = asprintf(ret, "%s/linux-%s.tar.gz",
				  catalog->kernel_org.rc_url, text);
	else
		length = asprintf(ret, "%s/v%u.x/linux-%s.tar.xz",
				  catalog->kernel_org.tarballs_url,
				  version->major, text);
	if (length < 0) {
		*ret = NULL;
		memory_exhausted();
	}
	return NULL;
}

struct error *kernel_org_digest(struct http *http, const char *url,
				const struct kernel_version *version,
				char digest_ret[static DIGEST_TEXT_SIZE])
{
	if (!kernel_version_is_rc(version))
		return tarball_digest(http, url, digest_ret);
	log_debug("%s: kernel.org publishes no digest of a release candidate",
		  url);
	digest_ret[0] = '\0';
	return NULL;
}
