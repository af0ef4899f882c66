# SPDX-License-Identifier: LGPL-2.1-or-later
"""
Every name that the module promises, by the condition under which it exists.

Where the condition is false the name must be absent: a debugger's tests take
that for "this kernel cannot". test_names.py has the conditions.
"""


def _prefixed(prefix, words):
    return [prefix + word for word in words.split()]


# The module has a tree of the other kind for each of these, too.
_MAPLE_TREES = """
    dense dense_ranges empty one one_at_zero one_range one_range_at_zero sparse
    sparse_ranges three_levels_dense_1 three_levels_dense_2
    three_levels_ranges_1 three_levels_ranges_2 zero_entry zero_entry_at_zero
"""
# Functions of kmodify, each with a counter of its calls.
_FUNCTIONS = """
    array_out_params enum_args enum_return int_return integer_out_params
    long_long_return long_return many_args many_out_params pointer_args
    pointer_return short_return signed_args signed_char_return string_args
    unsigned_args unsigned_char_return unsigned_int_return
    unsigned_long_long_return unsigned_long_return unsigned_short_return
    void_return
"""

NAMES = {
    "ALWAYS": _prefixed("drgn_test_", """
        MEM_CANCEL_OFFLINE MEM_CANCEL_ONLINE MEM_GOING_OFFLINE MEM_GOING_ONLINE
        MEM_OFFLINE MEM_ONLINE THREAD_SIZE anchored_list anchored_list_entries
        anonymous_union big_kmem_cache big_slab_object big_slab_objects blkdevs
        circular_list circular_list_entries completion completion_kthread
        compound_page corrupted_list crash_func crash_store custom_list
        custom_list_cycle custom_list_entries custom_list_entry
        custom_list_self_cycle data done_completion empty_hlist empty_list
        empty_llist empty_plist empty_plist_node empty_rb_node empty_rb_root
        empty_swaitq empty_waitq full_hlist full_list full_llist full_plist function
        have_maple_tree have_page_pool have_stackdepot have_stacktrace have_xarray
        hlist_entries hlist_entry hrtimer hrtimer_fn idr_empty idr_one
        idr_one_at_zero idr_sparse kthread kthread_fn kthread_fn2 kthread_fn3
        kthread_info kthread_pt_regs ktime ktime_ns list_anchor list_cycle1
        list_cycle1_entries list_cycle2 list_cycle2_entries list_cycle3
        list_cycle3_entries list_entries list_entry list_null list_null_entry
        list_self_cycle llist_entries llist_entry locking_kthread mutex_locked
        mutex_unlocked netdev netdev_priv nid pa page percpu_arrays percpu_counter
        percpu_counter_negative percpu_dynamic percpu_static percpu_struct
        percpu_structs pfn pgdat plist_entries plist_entry radix_tree_empty
        radix_tree_one radix_tree_one_at_zero radix_tree_sparse rb_entries rb_entry
        rb_root rbtree_container rbtree_container_struct rbtree_out_of_order
        rbtree_with_bad_root_parent rbtree_with_black_violation rbtree_with_equal
        rbtree_with_inconsistent_parents rbtree_with_red_root
        rbtree_with_red_violation rodata rwsem_never_locked
        rwsem_previously_read_locked rwsem_previously_write_locked rwsem_read_locked
        rwsem_write_locked rwsem_writer_waiting sbitmap search_subject
        search_subject2 singular_list singular_list_entry singular_llist
        singular_llist_entry skb skb_shinfo slab_stack_enabled slob small_kmem_cache
        small_slab_object small_slab_objects swaitq swaitq_kthread timer timer_fn
        union va vmalloc_pa vmalloc_page vmalloc_pfn vmalloc_va vmap_stack_enabled
        waitq waitq_container waitq_container_struct waitq_kthread
    """),
    "STACKTRACE": _prefixed("drgn_test_", "num_stack_entries stack_entries"),
    "STACKDEPOT": _prefixed("drgn_test_", "stack_handle"),
    "PAGE_POOL": _prefixed("drgn_test_", "page_pool_page"),
    "XARRAY": _prefixed("drgn_test_", """
        xa_zero_entry xarray_empty xarray_entries xarray_entry xarray_multi_index
        xarray_one xarray_one_at_zero xarray_pointers xarray_sparse xarray_value
        xarray_zero_entry xarray_zero_entry_at_zero
    """),
    "RADIX_TREE_MULTIORDER": _prefixed("drgn_test_", "radix_tree_multi_order"),
    "MAPLE_TREE": [
        *_prefixed("drgn_test_maple_", "arange64_slots range64_slots"),
        *_prefixed("drgn_test_maple_tree_", _MAPLE_TREES),
        *_prefixed("drgn_test_maple_tree_arange_", _MAPLE_TREES),
    ],
    "SPARSEMEM": _prefixed("drgn_test_", """
        MAX_PHYSMEM_BITS NR_SECTION_ROOTS SECTIONS_PER_ROOT SECTION_HAS_MEM_MAP
        SECTION_MARKED_PRESENT SECTION_SIZE_BITS mem_section num_present_sections
        present_section present_sections section_decoded_mem_map section_mem_map
        section_nr section_pfn valid_section
    """),
    "SECTION_ONLINE": _prefixed("drgn_test_", "SECTION_IS_ONLINE online_section"),
    "SECTION_EARLY": _prefixed("drgn_test_", "SECTION_IS_EARLY early_section"),
    "ZONE_DEVICE": _prefixed("drgn_test_", "SECTION_TAINT_ZONE_DEVICE"),
    "FLATMEM": _prefixed("drgn_test_", "ARCH_PFN_OFFSET"),
    "MAYBE": _prefixed("drgn_test_", "MEM_FINISH_OFFLINE MEM_PREPARE_ONLINE"),
    "X86_64": [
        "DRGN_KMODIFY_ONE",
        "drgn_kmodify_enum",
        *_prefixed("drgn_kmodify_test_", """
            bit_field bitmap char_str const_char_str int int_ptr memory ptr
            signed_char_str unsigned_char_str
        """),
        *_prefixed("drgn_kmodify_test_", _FUNCTIONS),
        *[f"{name}_called" for name in _prefixed("drgn_kmodify_test_", _FUNCTIONS)],
    ],
}

# In no form: not as a symbol, a variable or a type. The tags belong to a union
# and to a typedef of a union without a tag.
FORBIDDEN = (
    "drgn_test_",
    "drgn_test_non_existent",
    "struct drgn_test_anonymous_union",
    "struct drgn_test_non_existent",
    "struct drgn_test_union",
    "union drgn_test_anonymous_union",
)
