//! Pages of lists, newest first. A page ends with a cursor, which is opaque to callers.
//!
//! A cursor is the time and the id of the last row that was shown. Rows that are added meanwhile are newer, so no row is
//! shown twice and none is left out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::time::Timestamp;

pub const DEFAULT_PAGE_SIZE: u32 = 25;
pub const MAX_PAGE_SIZE: u32 = 100;

/// Which rows of a list are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// How many, 1 to [`MAX_PAGE_SIZE`].
    pub limit: u32,
    /// The rows after this one; `None` starts with the newest.
    pub after: Option<PageCursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: DEFAULT_PAGE_SIZE,
            after: None,
        }
    }
}

/// A row's position in a list that is sorted by time, newest first, and then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageCursor {
    pub at: Timestamp,
    pub id: [u8; 16],
}

impl PageCursor {
    /// Before all rows there can be.
    pub const START: Self = Self {
        at: Timestamp::from_millis(i64::MAX),
        id: [0xff; 16],
    };

    /// As callers get it: base64url without padding.
    pub fn to_text(self) -> String {
        let mut bytes = [0; 24];
        let (at, id) = bytes.split_at_mut(8);
        at.copy_from_slice(&self.at.as_millis().to_be_bytes());
        id.copy_from_slice(&self.id);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The reverse of [`Self::to_text`].
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 24] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (at, id) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            at: Timestamp::from_millis(i64::from_be_bytes(*at)),
            id: id.try_into().ok()?,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paged<T> {
    pub rows: Vec<T>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<PageCursor>,
}

impl<T> Paged<T> {
    /// Makes a page of up to one row more than it may have; the extra row shows that there is another page.
    pub fn from_rows(mut rows: Vec<T>, page: &PageRequest, cursor: impl Fn(&T) -> PageCursor) -> Self {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(cursor);
        Self { rows, next }
    }

    /// The same page of something else.
    pub fn map<U>(self, with: impl FnMut(T) -> U) -> Paged<U> {
        Paged {
            rows: self.rows.into_iter().map(with).collect(),
            next: self.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cursors round-trip; other texts are rejected.
    #[test]
    fn cursors_come_back() {
        for at in [0, -1, 1_780_000_000_000, i64::MIN, i64::MAX] {
            let cursor = PageCursor {
                at: Timestamp::from_millis(at),
                id: [7; 16],
            };
            assert_eq!(PageCursor::parse(&cursor.to_text()), Some(cursor));
        }
        let good = PageCursor::START.to_text();
        for text in ["", "1", "%%", &good[1..], &format!("{good}A"), &format!("{good}==")] {
            assert_eq!(PageCursor::parse(text), None, "{text}");
        }
    }

    /// There is a next page only when there is a row for it.
    #[test]
    fn the_last_page_has_no_next() {
        let page = PageRequest { limit: 2, after: None };
        let cursor = |at: &i64| PageCursor {
            at: Timestamp::from_millis(*at),
            id: [0; 16],
        };
        for (rows, shown, next) in [
            (vec![], vec![], None),
            (vec![3, 2], vec![3, 2], None),
            (vec![3, 2, 1], vec![3, 2], Some(cursor(&2))),
        ] {
            assert_eq!(Paged::from_rows(rows, &page, cursor), Paged { rows: shown, next });
        }
    }
}
