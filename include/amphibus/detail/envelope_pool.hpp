#pragma once

#include <amphibus/detail/message.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// Recycled envelopes of one owner. Thread: one owner at a time; the identities it makes are dropped anywhere.
class envelope_pool {
 public:
  envelope_pool() = default;
  envelope_pool(const envelope_pool&) = delete;
  envelope_pool& operator=(const envelope_pool&) = delete;
  ~envelope_pool();

  [[nodiscard]] identity_word make(const wire::envelope& with, base::time_point deadline);
  /// The same message, whose context tells that `lost` messages were lost before it; takes over the reference of
  /// `message`, whose envelope is `with`.
  [[nodiscard]] identity_word with_loss(identity_word message, wire::envelope with, std::uint64_t lost);

 private:
  queue::block_pool* blocks_ = nullptr;
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
