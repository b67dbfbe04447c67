#pragma once

#include <cstdint>

namespace proof {

/// Who copies: what a thread says of itself, because each transport thread here has one direction.
enum class role : unsigned { other, sender, receiver };
inline thread_local role thread_role = role::other;

/// What was copied by memcpy and memmove in pieces of 256 bytes or more, since the program began; ours includes
/// FlatBuffers and the standard library.
struct copied_bytes {
  std::uint64_t ours[3] = {0, 0, 0};  ///< by role
  std::uint64_t libzmq = 0;
};
copied_bytes copies() noexcept;
copied_bytes operator-(const copied_bytes& a, const copied_bytes& b) noexcept;

}  // namespace proof
