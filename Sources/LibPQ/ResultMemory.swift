internal import CLibPQ

/// Keeps the memory of results for the next ones, until the process ends.
///
/// libpq frees a page's rows in small blocks. glibc returns them to the system and requests them again with the next
/// page, which was half of the client's time in a long read. This affects all memory of the process, so the
/// program decides it, not a library.
package func keepResultMemory() {
  // Once one of them is set, glibc no longer adapts either; 32 MiB is the maximum of the second (mallopt(3)).
  mallopt(M_TRIM_THRESHOLD, 64 << 20)
  mallopt(M_MMAP_THRESHOLD, 32 << 20)
  // Otherwise each thread that reads keeps memory of its own.
  mallopt(M_ARENA_MAX, 1)
}
