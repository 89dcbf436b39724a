//! Which item has which slot of the vector store, both ways round. Items are known by their
//! number, which they keep for life.

/// No slot, or no item.
const NONE: u32 = u32::MAX;

/// See the module documentation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    /// By the number of the item.
    slots: Vec<u32>,
    /// By slot: the number of the item it was made for.
    numbers: Vec<u32>,
    /// Items that have a slot.
    items: u64,
}

impl Slots {
    /// The slot of an item.
    pub fn slot(&self, number: u64) -> Option<u32> {
        let slot = self.slots.get(usize::try_from(number).ok()?).copied()?;
        (slot != NONE).then_some(slot)
    }

    /// The item of a slot, unless it has another slot by now or none.
    pub fn number(&self, slot: u32) -> Option<u64> {
        let number = u64::from(*self.numbers.get(slot as usize)?);
        (self.slot(number) == Some(slot)).then_some(number)
    }

    /// Gives an item a slot in place of the one it had.
    pub fn put(&mut self, number: u64, slot: u32) {
        let Some(place) = place(number) else {
            return;
        };
        grow(&mut self.slots, place);
        grow(&mut self.numbers, slot as usize);
        self.items += u64::from(self.slots[place] == NONE);
        self.slots[place] = slot;
        self.numbers[slot as usize] = place as u32;
    }

    /// Takes the slot of an item away; true when it had one.
    pub fn remove(&mut self, number: u64) -> bool {
        let slot = place(number).and_then(|place| self.slots.get_mut(place));
        let had = slot.is_some_and(|slot| std::mem::replace(slot, NONE) != NONE);
        self.items -= u64::from(had);
        had
    }

    /// How many items have a slot.
    pub fn items(&self) -> u64 {
        self.items
    }
}

/// Items beyond four thousand million have no vectors.
fn place(number: u64) -> Option<usize> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number != NONE)
        .map(|number| number as usize)
}

fn grow(list: &mut Vec<u32>, place: usize) {
    if list.len() <= place {
        list.resize(place + 1, NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_has_its_newest_slot_and_no_other() {
        let mut slots = Slots::default();
        slots.put(7, 0);
        slots.put(3, 1);
        slots.put(7, 2);
        assert_eq!((slots.slot(7), slots.slot(3)), (Some(2), Some(1)));
        assert_eq!(slots.number(0), None, "its item has moved on");
        assert_eq!((slots.number(1), slots.number(2)), (Some(3), Some(7)));
        assert_eq!(slots.items(), 2);
        assert!(slots.remove(7));
        assert!(!slots.remove(7));
        assert!(!slots.remove(1_000));
        assert_eq!((slots.slot(7), slots.number(2)), (None, None));
        assert_eq!(slots.items(), 1);
    }
}
