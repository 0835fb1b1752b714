//! Which files a package has, as its items' annotations say, and which place in a file is free; never touches a disk.

use std::collections::HashMap;

/// The files of one or several packages.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The first index that is free, by package and path.
    free: HashMap<(String, String), u64>,
}

impl Files {
    /// Notes that a place is taken.
    pub fn take(&mut self, package: &str, path: &str, index: u64) {
        let free = self.free.entry((package.to_owned(), path.to_owned())).or_default();
        *free = (*free).max(index.saturating_add(1));
    }

    /// Takes the first place behind all that are taken; 0 in a file that does not exist yet.
    pub fn append(&mut self, package: &str, path: &str) -> u64 {
        let free = self.free.entry((package.to_owned(), path.to_owned())).or_default();
        *free += 1;
        *free - 1
    }
}
