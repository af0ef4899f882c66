// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Network: a device, a buffer, and a page of a page pool.
 */
#include <linux/err.h>
#include <linux/netdevice.h>
#include <linux/numa.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>

#include "compat/page_pool.h"
#include "drgn_test.h"

struct net_device *drgn_test_netdev;
void *drgn_test_netdev_priv;

struct sk_buff *drgn_test_skb;
struct skb_shared_info *drgn_test_skb_shinfo;

#ifdef CONFIG_PAGE_POOL
struct page_pool *drgn_test_page_pool;
struct page *drgn_test_page_pool_page;

static int init_page_pool(void)
{
	struct page_pool_params params = {
		.pool_size = 1,
		.nid = NUMA_NO_NODE,
	};
	struct page_pool *pool;

	pool = page_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	drgn_test_page_pool = pool;

	drgn_test_page_pool_page = page_pool_alloc_pages(pool, GFP_KERNEL);
	return drgn_test_page_pool_page ? 0 : -ENOMEM;
}

static void exit_page_pool(void)
{
	if (drgn_test_page_pool_page)
		page_pool_put_full_page(drgn_test_page_pool,
					drgn_test_page_pool_page, false);
	if (drgn_test_page_pool)
		page_pool_destroy(drgn_test_page_pool);
}
#else
static int init_page_pool(void)
{
	return 0;
}

static void exit_page_pool(void)
{
}
#endif

int drgn_test_net_init(void)
{
	drgn_test_netdev = dev_get_by_name(&init_net, "lo");
	if (!drgn_test_netdev)
		return -ENODEV;
	drgn_test_netdev_priv = netdev_priv(drgn_test_netdev);

	drgn_test_skb = alloc_skb(64, GFP_KERNEL);
	if (!drgn_test_skb)
		return -ENOMEM;
	drgn_test_skb_shinfo = skb_shinfo(drgn_test_skb);

	return init_page_pool();
}

void drgn_test_net_exit(void)
{
	exit_page_pool();
	kfree_skb(drgn_test_skb);
	if (drgn_test_netdev)
		dev_put(drgn_test_netdev);
}
