//! Sorting and lower case as browsers are to download them: once for everything that is put in order, and with
//! the letters that every browser knows anyway.

use std::cmp::Ordering;

/// Things in order; equal ones keep theirs.
///
/// The standard library's sorting is a program of its own for each type, of several kilobytes.
pub fn sorted<T>(things: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = sorted_places(things.len(), &|a, b| compare(&things[a], &things[b]));
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| things[place].take()).collect()
}

/// The places of so many things, in their order.
///
/// Each is put where it belongs among those before it: as few comparisons as any sorting makes, and moving the
/// numbers behind it is nothing for as many rows as a board has.
pub fn sorted_places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places = Vec::with_capacity(count);
    for next in 0..count {
        let place = places.partition_point(|placed| compare(*placed, next) != Ordering::Greater);
        places.insert(place, next);
    }
    places
}

/// A name in lower case, to be compared with others.
#[cfg(feature = "hydrate")]
pub fn lower_case(name: &str) -> String {
    js_sys::JsString::from(name).to_lower_case().into()
}

/// A name in lower case, to be compared with others.
#[cfg(not(feature = "hydrate"))]
pub fn lower_case(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_put_in_order_and_equal_ones_keep_theirs() {
        let things = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let letters: String =
            sorted(things, |a, b| a.0.cmp(&b.0)).into_iter().map(|(_, letter)| letter).collect();
        assert_eq!(letters, "bedac");
    }
}
