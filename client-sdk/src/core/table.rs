//! A small map from rising numbers to values: a sorted vector, which costs a browser far fewer
//! bytes of code than a tree does.

use alloc::vec::Vec;
/// Values by number.
#[derive(Debug)]
pub struct Table<T> {
    rows: Vec<(u64, T)>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Table<T> {
    /// Without rows.
    #[must_use]
    pub const fn new() -> Self {
        Self { rows: Vec::new(), next: 1 }
    }

    /// Adds a value under a number that was never used before.
    pub fn add(&mut self, value: T) -> u64 {
        let id = self.next;
        self.set(id, value);
        id
    }

    /// Adds a value under a number above all others.
    pub fn set(&mut self, id: u64, value: T) {
        self.next = id + 1;
        self.rows.push((id, value));
    }

    /// The value under a number.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut T> {
        let at = self.position(id)?;
        self.rows.get_mut(at).map(|(_, value)| value)
    }

    /// Takes one out.
    pub fn remove(&mut self, id: u64) -> Option<T> {
        let at = self.position(id)?;
        Some(self.rows.remove(at).1)
    }

    /// Takes out every row that fits.
    pub fn take_if(&mut self, fits: impl Fn(&T) -> bool) -> Vec<(u64, T)> {
        let (taken, kept) =
            core::mem::take(&mut self.rows).into_iter().partition(|(_, value)| fits(value));
        self.rows = kept;
        taken
    }

    /// All of them, by rising number.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.rows.iter().map(|(_, value)| value)
    }

    /// As [`Table::values`].
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.iter_mut().map(|(_, value)| value)
    }

    fn position(&self, id: u64) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |(id, _)| *id).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_until_removed() {
        let mut table = Table::new();
        let (first, second) = (table.add("a"), table.add("b"));
        assert_eq!(table.remove(first), Some("a"));
        assert_eq!(table.remove(first), None);
        assert_eq!(table.get_mut(second), Some(&mut "b"));
        assert_eq!(table.take_if(|value| *value == "b"), [(second, "b")]);
        assert!(table.add("c") > second);
        assert_eq!(table.values().count(), 1);
    }
}
