#include "queue/keyed_store.hpp"

#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace amphibus::queue {
namespace {

using full_key = std::pair<const void*, std::string>;
using full_key_view = std::pair<const void*, std::string_view>;

struct by_space_and_key {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    const std::less<const void*> before;
    if (a.first != b.first) return before(a.first, b.first);
    return std::string_view(a.second) < std::string_view(b.second);
  }
};

}  // namespace

struct keyed_store::content {
  struct entry {
    std::vector<std::byte> value;
    std::uint64_t replaced = 0;
  };
  std::map<full_key, entry, by_space_and_key> waiting;
  std::deque<std::map<full_key, entry, by_space_and_key>::iterator> order;
};

keyed_store::keyed_store(std::size_t value_size, std::size_t capacity)
    : value_size_(value_size), capacity_(capacity), content_(std::make_unique<content>()) {}

keyed_store::~keyed_store() = default;

keyed_store::put_result keyed_store::put(const void* space, std::string_view key, const void* value, void* old_value) {
  const std::lock_guard lock(mutex_);
  const auto found = content_->waiting.find(full_key_view{space, key});
  if (found != content_->waiting.end()) {
    content::entry& entry = found->second;
    std::memcpy(old_value, entry.value.data(), value_size_);
    std::memcpy(entry.value.data(), value, value_size_);
    ++entry.replaced;
    return put_result::replaced;
  }
  if (content_->waiting.size() == capacity_) return put_result::full;
  const auto* const bytes = static_cast<const std::byte*>(value);
  const auto added = content_->waiting.emplace(full_key{space, key}, content::entry{{bytes, bytes + value_size_}, 0});
  content_->order.push_back(added.first);
  return put_result::added;
}

std::size_t keyed_store::take(void* values, std::uint64_t* replaced, std::size_t max) {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (; count != max && !content_->order.empty(); ++count) {
    const auto oldest = content_->order.front();
    content_->order.pop_front();
    std::memcpy(static_cast<std::byte*>(values) + count * value_size_, oldest->second.value.data(), value_size_);
    replaced[count] = oldest->second.replaced;
    content_->waiting.erase(oldest);
  }
  return count;
}

}  // namespace amphibus::queue
