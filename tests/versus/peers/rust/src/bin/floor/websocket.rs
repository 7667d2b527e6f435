//! WebSocket frames, whole ones of clients that keep to the protocol.

use super::Floor;

const FINAL_TEXT: u8 = 0x81;

/// Does what the frames in `input` ask for, and says how many bytes at its end are no whole frame.
pub(super) fn take(floor: &mut Floor, id: usize, mut input: &mut [u8]) -> usize {
    while let Some((head, len)) = head(input) {
        if input.len() < head + len {
            break;
        }
        let (frame, rest) = input.split_at_mut(head + len);
        let (head, payload) = frame.split_at_mut(head);
        if head[0] == FINAL_TEXT {
            unmask(
                payload,
                [head.len() - 4, head.len() - 3, head.len() - 2, head.len() - 1].map(|at| head[at]),
            );
            message(floor, id, payload);
        }
        input = rest;
    }
    input.len()
}

fn message(floor: &mut Floor, id: usize, text: &[u8]) {
    match text.first() {
        Some(b'r') => floor.register(id, &text[1..]),
        Some(b'p') => {
            if let Some(end) = memchr::memchr(b'\n', text) {
                floor.publish(&text[1..end], &text[end + 1..]);
            }
        }
        _ => {
            if let Some(output) = floor.output(id) {
                write(output, text);
            }
        }
    }
}

/// The sizes of the first frame's head and payload.
fn head(input: &[u8]) -> Option<(usize, usize)> {
    Some(match input.get(1)? & 0x7f {
        126 => (8, u16::from_be_bytes(*input[2..].first_chunk()?).into()),
        127 => (14, u64::from_be_bytes(*input[2..].first_chunk()?).try_into().ok()?),
        len => (6, len.into()),
    })
}

fn unmask(payload: &mut [u8], mask: [u8; 4]) {
    let (words, rest) = payload.as_chunks_mut::<4>();
    words.iter_mut().for_each(|word| xor(word, mask));
    xor(rest, mask);
}

fn xor(bytes: &mut [u8], mask: [u8; 4]) {
    bytes.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
}

pub(super) fn write(output: &mut Vec<u8>, payload: &[u8]) {
    output.push(FINAL_TEXT);
    match payload.len() {
        len @ 0..126 => output.push(len as u8),
        len @ 126..65536 => {
            output.push(126);
            output.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            output.push(127);
            output.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
    output.extend_from_slice(payload);
}
