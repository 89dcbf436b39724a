//! The filter grammar: any text is a filter or an error with a place in the text, and a
//! filter that was written down reads back as itself.

#![no_main]

use domain::Filter;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            let written = filter.to_string();
            assert_eq!(Filter::parse(&written).as_ref(), Ok(&filter), "{written}");
        }
        Err(error) => {
            let characters = text.chars().count();
            assert!((1..=characters + 1).contains(&error.position), "{error}");
        }
    }
});
