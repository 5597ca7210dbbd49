mod framing;
mod headers;
