//! Puts a text into the built-in Rego component: two data segments are appended to its module, one with the text at the
//! end of the initial memory, which is made larger, and one over the slot that says where the text is. No code changes,
//! so the component stays as valid as it was, and the same text gives the same bytes. Reads no file.

/// What `plugins/rego/src/embedded.rs` marks the slot with; address and length follow it.
const MARK: &[u8; 24] = b"leasehold:embedded-rego\0";
const PAGE_BYTES: usize = 64 << 10;
/// A header: `\0asm` and the version.
const HEADER_BYTES: usize = 8;
/// Sections of a component that are core modules (Binary.md of the component model).
const CORE_MODULE: u8 = 1;
/// Sections of a core module (WebAssembly core specification 5.5.2).
const MEMORY: u8 = 5;
const DATA: u8 = 11;
const DATA_COUNT: u8 = 12;

/// Why the text cannot be put in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedError {
    #[error("the component ends too early, or is none that was built from plugins/rego")]
    Broken,
    #[error("the component has no slot for a policy")]
    NoSlot,
}

/// The component with the text in it.
pub(crate) fn embed(component: &[u8], text: &[u8]) -> Result<Vec<u8>, EmbedError> {
    let mut out = component.get(..HEADER_BYTES).ok_or(EmbedError::Broken)?.to_vec();
    let mut found = false;
    for section in sections(component)? {
        let changed = match section {
            (CORE_MODULE, module) if slot(module)?.is_some() => {
                Some(embed_in_module(module, text)?)
            }
            _ => None,
        };
        found |= changed.is_some();
        append(&mut out, section.0, changed.as_deref().unwrap_or(section.1));
    }
    if found { Ok(out) } else { Err(EmbedError::NoSlot) }
}

fn embed_in_module(module: &[u8], text: &[u8]) -> Result<Vec<u8>, EmbedError> {
    let slot = slot(module)?.ok_or(EmbedError::NoSlot)?;
    let mut out = module.get(..HEADER_BYTES).ok_or(EmbedError::Broken)?.to_vec();
    // The memory section stands before the data section in every module.
    let mut address = None;
    for (id, content) in sections(module)? {
        let changed = match id {
            MEMORY => {
                let (memory, end) = larger_memory(content, text.len())?;
                address = Some(end);
                memory
            }
            DATA_COUNT => {
                let mut count = Reader(content).number()?;
                count = count.saturating_add(2);
                let mut changed = Vec::new();
                componentize::leb128(&mut changed, count);
                changed
            }
            DATA => more_data(content, slot, address.ok_or(EmbedError::Broken)?, text)?,
            _ => content.to_vec(),
        };
        append(&mut out, id, &changed);
    }
    Ok(out)
}

/// The memory with room for the text at its end, and the address of that room.
fn larger_memory(section: &[u8], bytes: usize) -> Result<(Vec<u8>, usize), EmbedError> {
    let mut reader = Reader(section);
    let (count, flags, minimum) = (reader.number()?, reader.number()?, reader.number()?);
    // One memory, without a maximum: that is what Rust makes.
    if count != 1 || flags != 0 {
        return Err(EmbedError::Broken);
    }
    let pages = minimum.checked_add(bytes.div_ceil(PAGE_BYTES)).ok_or(EmbedError::Broken)?;
    let mut memory = vec![1, 0];
    componentize::leb128(&mut memory, pages);
    Ok((memory, minimum.checked_mul(PAGE_BYTES).ok_or(EmbedError::Broken)?))
}

/// The data section with the text, and with its address and length in the slot; later segments win over earlier ones.
fn more_data(
    section: &[u8],
    slot: usize,
    address: usize,
    text: &[u8],
) -> Result<Vec<u8>, EmbedError> {
    let mut reader = Reader(section);
    let count = reader.number()?.saturating_add(2);
    let mut changed = Vec::new();
    componentize::leb128(&mut changed, count);
    changed.extend_from_slice(reader.0);
    let number = |value: usize| u32::try_from(value).map_err(|_too_large| EmbedError::Broken);
    let place = [number(address)?.to_le_bytes(), number(text.len())?.to_le_bytes()].concat();
    segment(&mut changed, slot, &place);
    segment(&mut changed, address, text);
    Ok(changed)
}

/// An active segment of memory 0: `i32.const address`, `end`, the bytes.
fn segment(out: &mut Vec<u8>, address: usize, bytes: &[u8]) {
    out.extend([0, 0x41]);
    signed_leb128(out, address);
    out.push(0x0b);
    componentize::leb128(out, bytes.len());
    out.extend_from_slice(bytes);
}

/// An unsigned number as WebAssembly has signed ones: the top bit that is written is the sign.
fn signed_leb128(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 && low < 0x40 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// The address of the slot's two numbers in the memory of a module, if it has one.
fn slot(module: &[u8]) -> Result<Option<usize>, EmbedError> {
    let Some((_, data)) = sections(module)?.into_iter().find(|(id, _)| *id == DATA) else {
        return Ok(None);
    };
    let mut reader = Reader(data);
    for _ in 0..reader.number()? {
        let active = match reader.number()? {
            0 => true,
            1 => false,
            _ => return Err(EmbedError::Broken),
        };
        let start = if active { reader.constant()? } else { 0 };
        let length = reader.number()?;
        let bytes = reader.take(length)?;
        let at = bytes.windows(MARK.len()).position(|window| window == MARK);
        if let Some(at) = at.filter(|_| active) {
            return Ok(start.checked_add(at).and_then(|mark| mark.checked_add(MARK.len())));
        }
    }
    Ok(None)
}

/// The sections after the header: id and content.
fn sections(wasm: &[u8]) -> Result<Vec<(u8, &[u8])>, EmbedError> {
    let mut reader = Reader(wasm.get(HEADER_BYTES..).ok_or(EmbedError::Broken)?);
    let mut sections = Vec::new();
    while !reader.0.is_empty() {
        let id = reader.byte()?;
        let length = reader.number()?;
        sections.push((id, reader.take(length)?));
    }
    Ok(sections)
}

fn append(out: &mut Vec<u8>, id: u8, content: &[u8]) {
    out.push(id);
    componentize::leb128(out, content.len());
    out.extend_from_slice(content);
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, EmbedError> {
        let (first, rest) = self.0.split_first().ok_or(EmbedError::Broken)?;
        self.0 = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], EmbedError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(EmbedError::Broken)?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned number in LEB128, of at most five bytes.
    fn number(&mut self) -> Result<usize, EmbedError> {
        let mut value: usize = 0;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(EmbedError::Broken)
    }

    /// The address in `i32.const address`, `end`. Addresses are under 2 GiB, so the sign bit is never set, and the
    /// signed number reads as an unsigned one.
    fn constant(&mut self) -> Result<usize, EmbedError> {
        let (opcode, address, end) = (self.byte()?, self.number()?, self.byte()?);
        if opcode == 0x41 && end == 0x0b { Ok(address) } else { Err(EmbedError::Broken) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::REGO;
    use super::*;

    #[test]
    fn the_same_text_gives_the_same_bytes_and_another_one_others() {
        let one = embed(REGO, b"{\"a\":1}").unwrap();
        assert_eq!(one, embed(REGO, b"{\"a\":1}").unwrap());
        assert_ne!(one, embed(REGO, b"{\"a\":2}").unwrap());
        assert!(one.len() > REGO.len() && one.len() < REGO.len() + 100);
    }

    #[test]
    fn the_room_for_the_text_begins_where_the_memory_ended() {
        let section = [1, 0, 17];
        assert_eq!(larger_memory(&section, 1).unwrap(), (vec![1, 0, 18], 17 * PAGE_BYTES));
        assert_eq!(larger_memory(&section, PAGE_BYTES + 1).unwrap().0, [1, 0, 19]);
        assert!(larger_memory(&[1, 1, 17, 18], 1).is_err());
    }

    #[test]
    fn addresses_are_written_as_signed_numbers() {
        for (value, bytes) in
            [(0, &[0][..]), (63, &[63]), (64, &[0xc0, 0]), (1_114_112, &[0x80, 0x80, 0xc4, 0])]
        {
            let mut out = Vec::new();
            signed_leb128(&mut out, value);
            assert_eq!(out, bytes, "{value}");
            out.insert(0, 0x41);
            out.push(0x0b);
            assert_eq!(Reader(&out).constant().unwrap(), value);
        }
    }

    #[test]
    fn what_has_no_slot_or_ends_early_is_refused() {
        let other = include_bytes!("../../../../../plugins/fixtures/hostile/hostile.wasm");
        assert!(matches!(embed(other, b"x"), Err(EmbedError::NoSlot)));
        for length in [0, 7, 9, 100, REGO.len() - 1] {
            assert!(embed(&REGO[..length], b"x").is_err(), "{length}");
        }
    }
}
