//! The floor: one thread, one epoll, the system calls that there have to be, and next to nothing
//! between them.
//!
//! Over WebSockets it speaks what `bare` does; over HTTP as much of SockJS as an echo needs. It has no
//! limits, no timers and trusts its clients, so nobody could use it: it only says what the machine
//! takes for the work.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

mod http;
mod websocket;

const LISTENER: Token = Token(usize::MAX);
/// What is read at once; less means that there is no more.
const READ_SIZE: usize = 256 * 1024;

fn main() -> io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "0".to_owned());
    let address = format!("127.0.0.1:{port}").parse().map_err(io::Error::other)?;
    let mut listener = TcpListener::bind(address)?;
    println!("ready ws://{}/", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut floor = Floor::default();
    let mut buffer = vec![0; READ_SIZE];
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    floor.welcome(stream, &poll)?;
                }
                continue;
            }
            let id = event.token().0;
            if event.is_readable() && !floor.read(id, &mut buffer) || event.is_read_closed() {
                floor.forget(id);
            } else if event.is_writable() {
                floor.flush(id);
            }
        }
        // Once for all that came in together.
        for id in std::mem::take(&mut floor.written) {
            floor.flush(id);
        }
    }
}

#[derive(Default)]
struct Floor {
    connections: Slab<Connection>,
    /// The consumers of each address.
    consumers: HashMap<Vec<u8>, Vec<usize>>,
    sessions: HashMap<Vec<u8>, http::Session>,
    /// Connections with something to be written.
    written: Vec<usize>,
}

struct Connection {
    stream: TcpStream,
    is_websocket: bool,
    /// The beginning of what has not come whole.
    input: Vec<u8>,
    output: Vec<u8>,
    /// Addresses that it is registered for.
    mine: Vec<Vec<u8>>,
}

impl Floor {
    fn welcome(&mut self, mut stream: TcpStream, poll: &Poll) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let entry = self.connections.vacant_entry();
        let interests = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(entry.key()), interests)?;
        let (input, output, mine) = Default::default();
        entry.insert(Connection { stream, is_websocket: false, input, output, mine });
        Ok(())
    }

    /// Reads what there is; false when the connection has ended.
    fn read(&mut self, id: usize, buffer: &mut [u8]) -> bool {
        loop {
            let Some(connection) = self.connections.get_mut(id) else { return true };
            let count = match connection.stream.read(buffer) {
                Ok(0) => return false,
                Ok(count) => count,
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            };
            if connection.input.is_empty() {
                let rest = self.take(id, &mut buffer[..count]);
                self.keep(id, &buffer[count - rest..count]);
            } else {
                let mut input = std::mem::take(&mut connection.input);
                input.extend_from_slice(&buffer[..count]);
                let rest = self.take(id, &mut input);
                self.keep(id, &input[input.len() - rest..]);
            }
            if count < buffer.len() {
                return true;
            }
        }
    }

    /// Does what `input` asks for, and says how much of its end is for later.
    fn take(&mut self, id: usize, input: &mut [u8]) -> usize {
        if self.connections[id].is_websocket {
            websocket::take(self, id, input)
        } else {
            http::take(self, id, input)
        }
    }

    fn keep(&mut self, id: usize, rest: &[u8]) {
        self.connections[id].input = rest.to_vec();
    }

    /// Where to write for a connection; nothing goes out before all input was looked at.
    fn output(&mut self, id: usize) -> Option<&mut Vec<u8>> {
        let output = &mut self.connections.get_mut(id)?.output;
        if output.is_empty() {
            self.written.push(id);
        }
        Some(output)
    }

    fn flush(&mut self, id: usize) {
        let Some(Connection { stream, output, .. }) = self.connections.get_mut(id) else { return };
        while !output.is_empty() {
            match stream.write(output) {
                Ok(count) if count == output.len() => output.clear(),
                Ok(count) => drop(output.drain(..count)),
                // It will be writable, or be found to have ended.
                Err(_) => return,
            }
        }
        // An idle connection keeps nothing.
        if output.capacity() > 4096 {
            *output = Vec::new();
        }
    }

    fn register(&mut self, id: usize, address: &[u8]) {
        self.consumers.entry(address.to_vec()).or_default().push(id);
        self.connections[id].mine.push(address.to_vec());
    }

    fn publish(&mut self, address: &[u8], body: &[u8]) {
        let Some(consumers) = self.consumers.remove_entry(address) else { return };
        for id in &consumers.1 {
            if let Some(output) = self.output(*id) {
                websocket::write(output, body);
            }
        }
        self.consumers.insert(consumers.0, consumers.1);
    }

    fn forget(&mut self, id: usize) {
        let Some(connection) = self.connections.try_remove(id) else { return };
        for address in connection.mine {
            let Some(consumers) = self.consumers.get_mut(&address) else { continue };
            consumers.retain(|other| *other != id);
            if consumers.is_empty() {
                self.consumers.remove(&address);
            }
        }
        self.written.retain(|other| *other != id);
    }
}
