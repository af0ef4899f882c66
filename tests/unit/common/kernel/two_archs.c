// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tests/unit/common/kernel/two_archs.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>

#include "common/kernel/catalog.h"

struct catalog *two_archs_catalog(const char *first, const char *second,
				  const char *host_name)
{
	json_t *json = json_load_file(VMTEST_SOURCE_DIR "/configs/vmtest.json",
				      0, NULL);
	json_t *archs = json_object_get(json, "architectures");
	json_t *one = json_deep_copy(json_object_get(archs, "x86_64"));
	json_t *other = json_deep_copy(one);
	struct catalog *catalog = NULL;
	char *text;

	json_object_set_new(one, "host_names", json_pack("[s]", host_name));
	json_object_set_new(other, "host_names", json_pack("[s]", "no-machine"));
	// Those that are for architectures which are not there.
	json_object_del(json_object_get(json, "flavors"), "bpf");
	json_object_del(json_object_get(json, "flavors"), "debug");
	json_object_set_new(json, "architectures",
			    json_pack("{s:o, s:o}", first, one, second, other));
	text = json_dumps(json, 0);
	json_decref(json);
	cr_assert_null(catalog_parse(text, "two", NULL, &catalog));
	free(text);
	return catalog;
}
