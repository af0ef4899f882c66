# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network device, a buffer, and a page of a page pool."""

from drgn import cast, sizeof
from drgn.helpers.linux.net import netdev_get_by_name

import support
from support import has_member, prog

NETDEV_ALIGN = 32
PP_SIGNATURE = 0x40


class NetTest(support.TestCase):
    def test_device_is_lo_of_the_initial_namespace(self):
        device = prog["drgn_test_netdev"]
        self.assertEqual(device, netdev_get_by_name(prog, "lo"))
        self.assertEqual(device.nd_net.net, prog["init_net"].address_of_())

    def test_private_data_is_behind_the_device(self):
        device = prog["drgn_test_netdev"]
        size = sizeof(device[0])
        expected = device.value_() + -(-size // NETDEV_ALIGN) * NETDEV_ALIGN
        if has_member(device[0], "priv"):
            expected = device.value_() + next(
                member.offset for member in device.type_.type.members
                if member.name == "priv")
        self.assertEqual(prog["drgn_test_netdev_priv"].value_(), expected)
        self.assertEqual(prog["drgn_test_netdev_priv"].type_.type_name(), "void *")

    def test_shared_info_is_at_the_buffer_s_end(self):
        buffer = prog["drgn_test_skb"]
        self.assertTrue(buffer)
        end = buffer.end.value_()
        if support.WORD == 8:  # NET_SKBUFF_DATA_USES_OFFSET
            end += buffer.head.value_()
        shared = prog["drgn_test_skb_shinfo"]
        self.assertEqual(shared.type_.type_name(), "struct skb_shared_info *")
        self.assertEqual(shared.value_(), end)
        self.assertEqual(shared.dataref.counter, 1)


class PagePoolTest(support.TestCase):
    def setUp(self):
        self.need("have_page_pool")
        self.page = prog["drgn_test_page_pool_page"]
        self.pool = prog["drgn_test_page_pool"]
        if support.VERSION < (5, 14) or not has_member(self.page[0], "pp_magic"):
            self.skipTest("this kernel's page pool leaves no mark in its pages")

    def test_page_has_the_mark_and_the_pool(self):
        self.assertEqual(self.page.pp_magic.value_() & 0xFFC, PP_SIGNATURE)
        self.assertEqual(self.page.pp, self.pool)

    def test_another_page_has_not(self):
        other = prog["drgn_test_page"]
        self.assertNotEqual(other.pp, self.pool)
        self.assertFalse(other.pp_magic.value_() & ~0xFFF == self.page.pp_magic.value_()
                         & ~0xFFF and other.pp_magic.value_() & 0xFFC == PP_SIGNATURE)

    def test_pool_is_of_order_0_without_dma(self):
        self.assertEqual(self.pool.p.order, 0)
        self.assertFalse(self.pool.p.dev)
        self.assertEqual(self.pool.p.nid, -1)
        self.assertEqual(cast("int", self.pool.p.pool_size), 1)
