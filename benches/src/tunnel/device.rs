//! A TUN device: IP packets that a kernel sends come out of it, and go into the kernel through it.
//!
//! The one file of the tunnel with `unsafe` in it: attaching a descriptor to a device is an
//! `ioctl` on a C structure, which neither std nor rustix wraps.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use bytes::Bytes;
use rustix::ioctl::{self, Opcode, Updater, opcode};

/// Where the kernel offers TUN devices.
const TUN: &str = "/dev/net/tun";
/// `TUNSETIFF` of linux/if_tun.h: attaches the descriptor to a device, made if need be.
const SET_INTERFACE: Opcode = opcode::write::<i32>(b'T', 202);
/// `IFF_TUN`: IP packets, without Ethernet headers.
const IP_PACKETS: i16 = 0x0001;
/// `IFF_NO_PI`: and nothing else in front of them.
const NO_PACKET_INFORMATION: i16 = 0x1000;
/// `IFNAMSIZ`, the end of the string included.
const NAME_SIZE: usize = 16;
/// The largest IP packet.
const MAX_PACKET: usize = 65_535;

/// `struct ifreq` of linux/if.h as `TUNSETIFF` reads and writes it: a name, and flags in front of
/// a union of 24 bytes.
#[repr(C, align(8))]
struct InterfaceRequest {
    name: [u8; NAME_SIZE],
    flags: i16,
    rest: [u8; 22],
}

/// A TUN device. It vanishes with this value, from whatever namespace it was moved to.
#[derive(Debug)]
pub(super) struct Device {
    file: File,
    name: String,
    buffer: Vec<u8>,
}

impl Device {
    /// Makes a device in the namespace of this process; the kernel numbers its name.
    ///
    /// # Errors
    ///
    /// What the system says: there is no /dev/net/tun here, or it is not for this user.
    pub(super) fn create() -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(TUN)?;
        rustix::io::ioctl_fionbio(&file, true)?;
        let name = attach(&file)?;
        Ok(Self { file, name, buffer: vec![0; MAX_PACKET] })
    }

    /// What it was called when it was made.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The next packet that the kernel sends, or `None` if there is none now.
    ///
    /// # Errors
    ///
    /// If the device is gone.
    pub(super) fn receive(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            match self.file.read(&mut self.buffer) {
                Ok(length) => return Ok(Some(Bytes::copy_from_slice(&self.buffer[..length]))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives the kernel a packet as if it came from outside.
    ///
    /// # Errors
    ///
    /// If the kernel does not take it: the device is down, or this is no IP packet.
    pub(super) fn send(&self, packet: &[u8]) -> io::Result<()> {
        (&self.file).write(packet).map(drop)
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Makes a new device and attaches the descriptor of `/dev/net/tun` to it; its name.
#[expect(unsafe_code, reason = "TUNSETIFF exchanges a C structure with the kernel")]
fn attach(file: &File) -> io::Result<String> {
    let mut request = InterfaceRequest {
        name: [0; NAME_SIZE],
        flags: IP_PACKETS | NO_PACKET_INFORMATION,
        rest: [0; 22],
    };
    let pattern = b"cantus%d";
    request.name[..pattern.len()].copy_from_slice(pattern);
    // SAFETY: TUNSETIFF reads and writes one `struct ifreq` (drivers/net/tun.c, __tun_chr_ioctl),
    // and no more of it than `InterfaceRequest` has: 16 bytes of name and a union of 24 bytes of
    // which the flags are the first two. `request` lives, borrowed mutably, until the call is over.
    unsafe { ioctl::ioctl(file, Updater::<SET_INTERFACE, _>::new(&mut request))? };
    let name = request.name.iter().take_while(|&&byte| byte != 0).copied().collect();
    String::from_utf8(name).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_is_laid_out_as_the_kernel_has_it() {
        assert_eq!(SET_INTERFACE, 0x4004_54ca, "linux/if_tun.h");
        assert_eq!(size_of::<InterfaceRequest>(), 40, "struct ifreq of linux/if.h");
        assert_eq!(std::mem::offset_of!(InterfaceRequest, flags), NAME_SIZE);
    }
}
