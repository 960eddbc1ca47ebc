internal import CLibPQ

/// Keeps the memory of results for the next ones, until the process ends.
///
/// libpq frees a page's rows in small blocks. glibc gives them back to the system and asks for them again with the next
/// page, which was half of the client's time in a long read. This concerns all memory of the process, so it is the
/// program that decides, not a library.
package func keepResultMemory() {
  // Once one of them is set, glibc adapts neither any more; 32 MiB is the most for the second (mallopt(3)).
  mallopt(M_TRIM_THRESHOLD, 64 << 20)
  mallopt(M_MMAP_THRESHOLD, 32 << 20)
  // Otherwise each thread that reads keeps some of its own.
  mallopt(M_ARENA_MAX, 1)
}
