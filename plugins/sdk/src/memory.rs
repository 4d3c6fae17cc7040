//! The allocator of a component. A guest lives for one call, and its memory goes with it: blocks come off the end of what
//! there is, by size class, and a block that is given back serves the next one of its class. Nothing is split, joined or
//! returned to the host. Receiving a policy is hundreds of small blocks, which the general allocator of `std` pays for
//! twice: by its search, and by growing the memory before the first. A guest without the feature `allocator` has that.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;

/// Blocks start at multiples of this, and the small ones are multiples of it.
const STEP: usize = 16;
/// Up to here there is a class for each step; above, four for each doubling, so that at most a quarter is unused.
const SMALL: usize = 1 << SMALL_LOG;
const SMALL_LOG: usize = 10;
const SMALL_CLASSES: usize = SMALL / STEP;
/// Up to the 2 GiB that a Rust allocation may have where addresses have 32 bits.
const CLASSES: usize = SMALL_CLASSES + (31 - SMALL_LOG) * 4;

/// What the memory has room for before it grows: a policy of 6 KB and what is said of it. The host pays for growing.
#[cfg(target_arch = "wasm32")]
const FIRST_BYTES: usize = 128 << 10;

#[cfg(target_arch = "wasm32")]
#[repr(align(16))]
struct Stretch(core::cell::UnsafeCell<[u8; FIRST_BYTES]>);

// SAFETY: as for `Blocks`, which alone knows of it.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for Stretch {}

#[cfg(target_arch = "wasm32")]
static FIRST: Stretch = Stretch(core::cell::UnsafeCell::new([0; FIRST_BYTES]));

/// Free memory: the stretch that nothing was taken from, and what came back.
#[derive(Debug)]
pub struct Blocks {
    /// The start of the untouched stretch; 0 before the first block.
    next: Cell<usize>,
    /// Its end.
    end: Cell<usize>,
    /// For each class the block that came back last, which holds the address of the one before; 0 where there is none.
    free: [Cell<usize>; CLASSES],
}

// SAFETY: a guest has one thread; the contract gives it no way to start another, and the host no shared memory.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// Nothing taken yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a static needs a const")]
    pub const fn new() -> Self {
        Self { next: Cell::new(0), end: Cell::new(0), free: [const { Cell::new(0) }; CLASSES] }
    }

    /// A block off the untouched stretch, aligned as asked; 0 where there is no more.
    fn fresh(&self, bytes: usize, align: usize) -> usize {
        let mask = align.max(STEP) - 1;
        loop {
            let start = self.next.get().checked_add(mask).map(|past| past & !mask);
            let past = start.and_then(|start| start.checked_add(bytes));
            match (start, past) {
                (Some(start), Some(past)) if start > 0 && past <= self.end.get() => {
                    self.next.set(past);
                    return start;
                }
                (Some(_), Some(_)) if self.more(bytes + mask) => {}
                _ => return 0,
            }
        }
    }

    /// The class's block that came back last.
    fn reused(&self, class: usize) -> Option<usize> {
        let slot = self.free.get(class)?;
        let block = slot.get();
        if block == 0 {
            return None;
        }
        // SAFETY: a block in the list is nobody's, at least `STEP` long, aligned to it, and holds what `dealloc` wrote.
        slot.set(unsafe { core::ptr::with_exposed_provenance::<usize>(block).read() });
        Some(block)
    }

    /// Gives an untouched stretch of at least so many bytes, behind the one that there is where nothing is between them.
    #[cfg(target_arch = "wasm32")]
    fn more(&self, bytes: usize) -> bool {
        const PAGE: usize = 1 << 16;
        if self.end.get() == 0 {
            let start = FIRST.0.get().expose_provenance();
            self.next.set(start);
            self.end.set(start + FIRST_BYTES);
            return true;
        }
        let pages = bytes.max(FIRST_BYTES).div_ceil(PAGE);
        let before = core::arch::wasm32::memory_grow::<0>(pages);
        let Some(end) = before.checked_add(pages).and_then(|pages| pages.checked_mul(PAGE)) else {
            return false;
        };
        let start = before * PAGE;
        if start != self.end.get() {
            self.next.set(start);
        }
        self.end.set(end);
        true
    }

    /// There is what the test gave.
    #[cfg(not(target_arch = "wasm32"))]
    #[expect(clippy::unused_self, reason = "that of a component uses it")]
    fn more(&self, _bytes: usize) -> bool {
        false
    }
}

/// The class of blocks for so many bytes, and how many they have; `None` where that is more than there can be.
const fn class(bytes: usize) -> Option<(usize, usize)> {
    if bytes <= SMALL {
        let steps = if bytes == 0 { 1 } else { bytes.div_ceil(STEP) };
        return Some((steps - 1, steps * STEP));
    }
    let last = bytes - 1;
    let log = last.ilog2() as usize;
    // 4 to 7 quarters of the power of two are full: one more holds the rest.
    let quarters = (last >> (log - 2)) + 1;
    let class = SMALL_CLASSES + (log - SMALL_LOG) * 4 + quarters - 5;
    if class < CLASSES { Some((class, quarters << (log - 2))) } else { None }
}

// SAFETY: a block is given out to one owner until it comes back: `fresh` moves past it, `reused` takes it off its list.
// It has the class's bytes, which are at least those asked for, and the alignment asked for: what comes back goes to
// whoever needs no more than `STEP`.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((class, bytes)) = class(layout.size()) else {
            return core::ptr::null_mut();
        };
        let block = if layout.align() <= STEP { self.reused(class) } else { None };
        let block = match block {
            Some(block) => block,
            None => self.fresh(bytes, layout.align()),
        };
        core::ptr::with_exposed_provenance_mut(block)
    }

    #[expect(clippy::cast_ptr_alignment, reason = "a block is aligned to `STEP`")]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let slot = class(layout.size()).and_then(|(class, _)| self.free.get(class));
        if let Some(slot) = slot {
            // SAFETY: as in `reused`; the owner has no more use for it.
            unsafe { block.cast::<usize>().write(slot.get()) };
            slot.set(block.expose_provenance());
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let (Some((_, had)), Some((_, needed))) = (class(layout.size()), class(size)) else {
            return core::ptr::null_mut();
        };
        if had == needed {
            return block;
        }
        // What was taken last grows where it is.
        if block.addr().checked_add(had) == Some(self.next.get())
            && let Some(past) = block.addr().checked_add(needed)
            && past <= self.end.get()
        {
            self.next.set(past);
            return block;
        }
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else {
            return core::ptr::null_mut();
        };
        // SAFETY: as the caller promises for `block` and `layout`; two blocks are never the same.
        unsafe {
            let moved = self.alloc(wanted);
            if !moved.is_null() {
                core::ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(bytes: usize) -> Blocks {
        let room: &mut [u128] = vec![0_u128; bytes / STEP].leak();
        let blocks = Blocks::new();
        blocks.next.set(room.as_mut_ptr().expose_provenance());
        blocks.end.set(blocks.next.get() + bytes);
        blocks
    }

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 4).unwrap()
    }

    #[test]
    fn a_class_holds_what_it_is_for_and_wastes_at_most_a_quarter() {
        let mut last = 0;
        for bytes in (0..5_000).chain((13..31).flat_map(|log| (1 << log) - 1..(1 << log) + 2)) {
            let (index, held) = class(bytes).unwrap();
            assert!(index < CLASSES && index >= last, "{bytes}");
            assert!(held >= bytes && held.is_multiple_of(STEP), "{bytes}");
            assert!(bytes < SMALL || held - bytes <= bytes / 4 + STEP, "{bytes} in {held}");
            assert_eq!(class(held), Some((index, held)));
            last = index;
        }
        assert_eq!(class(1 << 31), Some((CLASSES - 1, 1 << 31)));
        assert_eq!(class((1 << 31) + 1), None);
        assert_eq!(class(usize::MAX), None);
    }

    #[test]
    fn blocks_do_not_overlap_and_come_back() {
        let blocks = blocks(1 << 16);
        let mut held: Vec<(*mut u8, usize)> = Vec::new();
        for round in 0..2_000_usize {
            let size = (round * 37) % 200 + 1;
            // SAFETY: each block is written to within its size, and given back once.
            unsafe {
                let block = blocks.alloc(layout(size));
                assert!(!block.is_null(), "round {round}");
                assert!(block.addr().is_multiple_of(STEP));
                block.write_bytes(u8::try_from(round % 251).unwrap(), size);
                held.push((block, size));
                if held.len() > 100 {
                    let (block, size) = held.remove(round % 100);
                    let marks = core::slice::from_raw_parts(block, size);
                    assert!(marks.iter().all(|mark| *mark == marks[0]), "round {round}");
                    blocks.dealloc(block, layout(size));
                }
            }
        }
        let ends = |(block, size): &(*mut u8, usize)| (block.addr(), block.addr() + size);
        let mut spans: Vec<_> = held.iter().map(ends).collect();
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    }

    #[test]
    fn a_block_grows_where_it_is_or_takes_its_bytes_along() {
        let blocks = blocks(1 << 12);
        // SAFETY: each block is used within its size, and not after it was given back.
        unsafe {
            let first = blocks.alloc(layout(5));
            first.write_bytes(7, 5);
            assert_eq!(blocks.realloc(first, layout(5), 16), first, "of one class");
            assert_eq!(blocks.realloc(first, layout(16), 40), first, "taken last");
            let second = blocks.alloc(layout(8));
            let moved = blocks.realloc(first, layout(40), 100);
            assert_ne!(moved, first);
            assert_eq!(core::slice::from_raw_parts(moved, 5), [7; 5]);
            assert_eq!(blocks.alloc(layout(33)), first, "given back, and of the same class");
            assert_ne!(blocks.alloc(layout(8)), second);
        }
    }

    #[test]
    fn alignment_is_kept_and_the_end_is_told() {
        let blocks = blocks(1 << 12);
        // SAFETY: nothing is written.
        unsafe {
            let wide = Layout::from_size_align(10, 256).unwrap();
            assert!(blocks.alloc(wide).addr().is_multiple_of(256));
            assert!(blocks.alloc(layout(1 << 12)).is_null());
            assert!(!blocks.alloc(layout(1 << 10)).is_null());
        }
    }
}
