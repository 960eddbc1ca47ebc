internal import CLibPQ

/// The compression function of SHA-256 (FIPS 180-4, section 6.2.2) by the processor's own instructions. It is here
/// because they are in C, and take pointers.
package enum SHA256Instructions {
  /// Whether the processor has them.
  package static let areThere = annals_has_sha256() != 0

  /// Adds whole blocks of 64 bytes to a state.
  package static func update(
    _ state: inout InlineArray<8, UInt32>,
    constants: InlineArray<64, UInt32>,
    _ blocks: Span<UInt8>
  ) {
    precondition(blocks.count.isMultiple(of: 64))
    var words = state.mutableSpan
    unsafe words.withUnsafeMutableBufferPointer { words in
      unsafe constants.span.withUnsafeBufferPointer { constants in
        unsafe blocks.withUnsafeBufferPointer { bytes in
          unsafe annals_sha256(words.baseAddress, constants.baseAddress, bytes.baseAddress, bytes.count / 64)
        }
      }
    }
  }
}
