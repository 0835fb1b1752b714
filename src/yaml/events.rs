//! Takes a piece of YAML text and gives libyaml's events with their byte spans; the only unsafe code, and it never judges what the text means.

use std::ffi::CStr;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::Range;

use libyaml_rs as sys;

use super::document::SyntaxError;

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A block scalar after `|`.
    Literal,
    /// A block scalar after `>`.
    Folded,
}

/// What may stand before a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Properties<'e> {
    pub(super) anchor: Option<&'e str>,
    /// The tag with its handle expanded, `tag:yaml.org,2002:str` for `!!str`.
    pub(super) tag: Option<&'e str>,
}

/// One step of libyaml through the text. What it borrows lives until the next step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event<'e> {
    StreamStart,
    StreamEnd,
    DocumentStart {
        explicit: bool,
    },
    DocumentEnd,
    Alias(&'e str),
    Scalar {
        value: &'e str,
        style: Style,
        properties: Properties<'e>,
    },
    SequenceStart {
        flow: bool,
        properties: Properties<'e>,
    },
    SequenceEnd,
    MappingStart {
        flow: bool,
        properties: Properties<'e>,
    },
    MappingEnd,
}

/// Walks over the events of a text. Spans are byte offsets into it.
pub(super) struct Events<'t> {
    // libyaml's parser points into itself, so it stays in its box.
    parser: Box<sys::yaml_parser_t>,
    event: Option<sys::yaml_event_t>,
    finished: bool,
    text: PhantomData<&'t str>,
}

#[allow(unsafe_code)]
impl<'t> Events<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let mut parser = Box::<sys::yaml_parser_t>::new_uninit();
        // SAFETY: the parser is initialised before any other use and never moves out of its box;
        // the text outlives it by the lifetime this type carries. Initialising fails only without memory,
        // in which case the allocator has already ended the process.
        let parser = unsafe {
            let raw = parser.as_mut_ptr();
            let _ = sys::yaml_parser_initialize(raw);
            sys::yaml_parser_set_encoding(raw, sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(raw, text.as_ptr(), text.len() as u64);
            parser.assume_init()
        };
        Events {
            parser,
            event: None,
            finished: false,
            text: PhantomData,
        }
    }

    /// The next event and the bytes it spans; `None` after the end or an error.
    pub(super) fn next(&mut self) -> Result<Option<(Event<'_>, Range<usize>)>, SyntaxError> {
        self.release();
        if self.finished {
            return Ok(None);
        }
        let mut event = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser is initialised and has met neither its end nor an error; on success libyaml has
        // filled the event, which is kept in `self` and freed by `release` exactly once.
        let event: &sys::yaml_event_t = unsafe {
            if sys::yaml_parser_parse(&mut *self.parser, event.as_mut_ptr()).fail {
                self.finished = true;
                return Err(self.error());
            }
            self.event.insert(event.assume_init())
        };
        let span = event.start_mark.index as usize..event.end_mark.index as usize;
        // SAFETY: the union field that is read is the one that `type_` names, and the strings live as long as
        // the event, which the returned borrow of `self` keeps.
        let read = unsafe {
            match event.type_ {
                sys::YAML_STREAM_START_EVENT => Event::StreamStart,
                sys::YAML_DOCUMENT_START_EVENT => Event::DocumentStart {
                    explicit: !event.data.document_start.implicit,
                },
                sys::YAML_DOCUMENT_END_EVENT => Event::DocumentEnd,
                sys::YAML_ALIAS_EVENT => Event::Alias(text_at(event.data.alias.anchor).unwrap_or_default()),
                sys::YAML_SCALAR_EVENT => {
                    let scalar = &event.data.scalar;
                    let bytes = std::slice::from_raw_parts(scalar.value, scalar.length as usize);
                    Event::Scalar {
                        // The input is UTF-8 and libyaml encodes every escape as UTF-8.
                        value: std::str::from_utf8(bytes).unwrap_or_default(),
                        style: match scalar.style {
                            sys::YAML_SINGLE_QUOTED_SCALAR_STYLE => Style::Single,
                            sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE => Style::Double,
                            sys::YAML_LITERAL_SCALAR_STYLE => Style::Literal,
                            sys::YAML_FOLDED_SCALAR_STYLE => Style::Folded,
                            _ => Style::Plain,
                        },
                        properties: Properties {
                            anchor: text_at(scalar.anchor),
                            tag: text_at(scalar.tag),
                        },
                    }
                }
                sys::YAML_SEQUENCE_START_EVENT => {
                    let start = &event.data.sequence_start;
                    Event::SequenceStart {
                        flow: start.style == sys::YAML_FLOW_SEQUENCE_STYLE,
                        properties: Properties {
                            anchor: text_at(start.anchor),
                            tag: text_at(start.tag),
                        },
                    }
                }
                sys::YAML_SEQUENCE_END_EVENT => Event::SequenceEnd,
                sys::YAML_MAPPING_START_EVENT => {
                    let start = &event.data.mapping_start;
                    Event::MappingStart {
                        flow: start.style == sys::YAML_FLOW_MAPPING_STYLE,
                        properties: Properties {
                            anchor: text_at(start.anchor),
                            tag: text_at(start.tag),
                        },
                    }
                }
                sys::YAML_MAPPING_END_EVENT => Event::MappingEnd,
                _ => {
                    self.finished = true;
                    Event::StreamEnd
                }
            }
        };
        Ok(Some((read, span)))
    }

    fn release(&mut self) {
        if let Some(mut event) = self.event.take() {
            // SAFETY: libyaml filled this event, and `take` makes sure that it is freed once.
            unsafe { sys::yaml_event_delete(&mut event) }
        }
    }

    fn error(&self) -> SyntaxError {
        // SAFETY: after a failure `problem` and `context` are null or static C strings.
        let (problem, context) = unsafe {
            let words = |pointer: *const i8| {
                (!pointer.is_null()).then(|| CStr::from_ptr(pointer.cast()).to_string_lossy().into_owned())
            };
            (words(self.parser.problem), words(self.parser.context))
        };
        // The reader (bad characters) sets only the byte offset, scanner and parser set the mark.
        let at = match self.parser.problem_mark.index {
            0 => self.parser.problem_offset as usize,
            index => index as usize,
        };
        SyntaxError {
            problem: problem.unwrap_or_else(|| "the text is not YAML".to_owned()),
            at,
            context: context.map(|text| (text, self.parser.context_mark.index as usize)),
        }
    }
}

#[allow(unsafe_code)]
impl Drop for Events<'_> {
    fn drop(&mut self) {
        self.release();
        // SAFETY: the parser was initialised in `new` and is deleted only here.
        unsafe { sys::yaml_parser_delete(&mut *self.parser) }
    }
}

/// A C string of an event, as text.
///
/// # Safety
/// The pointer is null or a terminated string that lives as long as the caller says.
#[allow(unsafe_code)]
unsafe fn text_at<'e>(pointer: *const u8) -> Option<&'e str> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: by the contract above.
    let text = unsafe { CStr::from_ptr(pointer.cast()) };
    text.to_str().ok()
}
