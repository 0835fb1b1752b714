//! Takes ranges and entries made by chance, compares interval arithmetic with sets of single addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use capv_ipam::ipam::{AddressRange, AddressSet, Entry, InClusterAddresses, admission, parse_address, usable_range};
use proptest::prelude::*;

use crate::made;
use crate::scan;

fn range() -> impl Strategy<Value = AddressRange> {
    (0u8..64, 0u8..12).prop_map(|(start, more)| format!("10.0.0.{start}-10.0.0.{}", start + more).parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_set_of_intervals_is_the_set_of_its_addresses(steps in prop::collection::vec((any::<bool>(), range()), 0..24)) {
        let mut intervals = AddressSet::new();
        let mut single: BTreeSet<IpAddr> = BTreeSet::new();
        for (insert, range) in steps {
            if insert {
                intervals.insert(range);
                single.extend(range);
            } else {
                intervals.remove(range);
                single.retain(|address| !range.contains(*address));
            }
        }
        let listed: BTreeSet<IpAddr> = intervals.ranges().flatten().collect();
        prop_assert_eq!(&listed, &single);
        prop_assert_eq!(intervals.size(), single.len() as u128);
        let ranges: Vec<AddressRange> = intervals.ranges().collect();
        for pair in ranges.windows(2) {
            let gap = AddressRange::new(pair[0].end(), pair[1].start()).expect("ascending");
            prop_assert!(gap.size() > 2, "{} and {} touch", pair[0], pair[1]);
        }
    }

    #[test]
    fn a_range_reads_back_as_written(range in range()) {
        prop_assert_eq!(range.to_string().parse(), Ok(range));
        prop_assert_eq!(range.iter().count() as u128, range.size());
        prop_assert_eq!(range.nth(range.size() - 1), Some(range.end()));
    }

    #[test]
    fn an_entry_yields_what_counting_yields(pool in made::entry()) {
        let entry = Entry::new(&pool);
        for index in 0..70 {
            prop_assert_eq!(entry.render(index), scan::render(&pool, index), "index {}", index);
        }
        for address in scan::scan(&pool, 70) {
            prop_assert!(entry.yields(address));
        }
    }

    #[test]
    fn no_text_ends_in_a_panic(text in ".{0,24}", start in ".{0,12}", subnet in ".{0,12}") {
        let _ = parse_address(&text);
        let _ = usable_range(&text, None);
        let _ = usable_range(&text, Some(24));
        let pool = capv_ipam::api::metal3::Pool {
            start: Some(start.clone()),
            end: Some(text.clone()),
            subnet: Some(subnet.clone()),
            ..Default::default()
        };
        let _ = Entry::new(&pool).size();
        let spec = capv_ipam::api::metal3::IPPoolSpec {
            pools: vec![pool],
            pre_allocations: [(text.clone(), start.clone())].into(),
            ..Default::default()
        };
        let _ = admission::create_pool(&spec);
        let in_cluster = capv_ipam::api::in_cluster::InClusterIPPoolSpec {
            addresses: vec![text, start],
            excluded_addresses: vec![subnet],
            prefix: Some(24),
            ..Default::default()
        };
        let _ = InClusterAddresses::read(&in_cluster);
    }
}
