//! Takes byte ranges of an original text with their new text and splices them; an overlap is an error, and no byte outside a range changes.

use std::io;
use std::ops::Range;

/// A byte range of the original text and what stands there afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go; empty for an insertion.
    pub range: Range<usize>,
    /// What comes in their place.
    pub text: String,
}

impl Edit {
    /// Puts text at an offset.
    #[must_use]
    pub fn insert(at: usize, text: impl Into<String>) -> Self {
        Edit::replace(at..at, text)
    }

    /// Puts text in the place of a range.
    #[must_use]
    pub fn replace(range: Range<usize>, text: impl Into<String>) -> Self {
        Edit {
            range,
            text: text.into(),
        }
    }

    /// Takes a range away.
    #[must_use]
    pub fn delete(range: Range<usize>) -> Self {
        Edit::replace(range, String::new())
    }
}

/// Two edits that touch the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two edits touch the same bytes, {first:?} and {second:?}")]
pub struct Overlap {
    /// The one that begins first.
    pub first: Range<usize>,
    /// The one that begins inside it.
    pub second: Range<usize>,
}

/// Sorted, disjoint edits of one text. Insertions at one offset keep the order in which they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    edits: Vec<Edit>,
}

impl Edits {
    /// Sorts edits and makes sure that they are disjoint.
    ///
    /// # Errors
    /// Two of them overlap.
    pub fn new(mut edits: Vec<Edit>) -> Result<Self, Overlap> {
        let key = |edit: &Edit| (edit.range.start, edit.range.end);
        if !edits.is_sorted_by_key(key) {
            edits.sort_by_key(key);
        }
        edits.shrink_to_fit();
        for pair in edits.windows(2) {
            if pair[1].range.start < pair[0].range.end {
                return Err(Overlap {
                    first: pair[0].range.clone(),
                    second: pair[1].range.clone(),
                });
            }
        }
        Ok(Edits { edits })
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// The edits in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.edits.iter()
    }

    /// The same edits for a text in which this one begins at an offset.
    #[must_use]
    pub fn shifted(mut self, by: usize) -> Vec<Edit> {
        for edit in &mut self.edits {
            edit.range = edit.range.start + by..edit.range.end + by;
        }
        self.edits
    }

    /// The pieces of the edited text, in order.
    pub fn pieces<'e>(&'e self, text: &'e str) -> impl Iterator<Item = &'e str> {
        let mut at = 0;
        let kept = self.edits.iter().flat_map(move |edit| {
            let before = &text[at..edit.range.start];
            at = edit.range.end;
            [before, edit.text.as_str()]
        });
        let rest = self.edits.last().map_or(0, |edit| edit.range.end);
        kept.chain(std::iter::once(&text[rest..]))
            .filter(|piece| !piece.is_empty())
    }

    /// The edited text.
    #[must_use]
    pub fn splice(&self, text: &str) -> String {
        // Reserved at once: growing it step by step takes up to twice the memory.
        let mut edited = String::with_capacity(self.pieces(text).map(str::len).sum());
        edited.extend(self.pieces(text));
        edited
    }

    /// Writes the edited text without building it.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write(&self, text: &str, out: &mut impl io::Write) -> io::Result<()> {
        self.pieces(text).try_for_each(|piece| out.write_all(piece.as_bytes()))
    }
}

impl<'e> IntoIterator for &'e Edits {
    type Item = &'e Edit;
    type IntoIter = std::slice::Iter<'e, Edit>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_applied_in_the_order_of_the_text() {
        let edits = Edits::new(vec![
            Edit::insert(5, "!"),
            Edit::replace(0..1, "H"),
            Edit::insert(5, "?"),
            Edit::delete(2..4),
        ]);
        assert_eq!(edits.unwrap().splice("hello"), "Heo!?");
    }

    #[test]
    fn an_overlap_is_an_error() {
        let edits = Edits::new(vec![Edit::delete(0..3), Edit::replace(2..4, "x")]);
        assert_eq!(
            edits,
            Err(Overlap {
                first: 0..3,
                second: 2..4
            })
        );
        assert!(Edits::new(vec![Edit::delete(0..3), Edit::insert(2, "x")]).is_err());
        assert!(Edits::new(vec![Edit::delete(0..3), Edit::insert(3, "x")]).is_ok());
    }
}
