#include "detail/history_keeper.hpp"

#include <iterator>
#include <utility>

#include "detail/message_key.hpp"

namespace amphibus::detail {

history_keeper::history_keeper(const topic_core& of, const queue::retain_rule& rule, kept_memory& memory)
    : topic_(of), rule_(rule), memory_(memory) {}

history_keeper::~history_keeper() {
  gone_messages gone;
  clear(gone);
  gone.drop();
}

void history_keeper::clear(gone_messages& gone) {
  while (!entries_.empty()) remove(entries_.begin(), gone);
  keys_.clear();
}

history_keeper::key_map::value_type& history_keeper::find_key(std::string_view key) {
  const auto found = keys_.find(key);
  return found != keys_.end() ? *found : *keys_.try_emplace(std::string(key)).first;
}

void history_keeper::keep(const any_slot& message, gone_messages& gone) {
  key_room room;
  key_map::value_type& key = find_key(key_of(topic_, message.identity, message.value(), room));
  const auto bytes = static_cast<std::int64_t>(message.weighed_bytes());
  if (key.second.kept == rule_.per_key) remove(key.second.oldest, gone);
  if (make_room(bytes, key, gone)) return append(key, message, bytes);
  gone.add(message);
  count_forgotten();
  erase_if_empty(key);
}

bool history_keeper::make_room(std::int64_t bytes, const key_map::value_type& spared, gone_messages& gone) {
  const auto forget_oldest = [&] {
    const key_map::value_type& of = *entries_.front().of;
    remove(entries_.begin(), gone);
    count_forgotten();
    if (&of != &spared) erase_if_empty(of);
  };
  if (entries_.size() == rule_.messages_max) forget_oldest();
  while (!memory_.reserve(bytes)) {
    if (entries_.empty()) return false;
    forget_oldest();
  }
  return true;
}

void history_keeper::append(key_map::value_type& to, const any_slot& message, std::int64_t bytes) {
  if (spare_.empty()) spare_.emplace_back();
  entries_.splice(entries_.end(), spare_);
  const auto added = std::prev(entries_.end());
  of_key& key = to.second;
  *added = {message, bytes, key.next_ordinal++, &to, {}};
  if (key.kept++ == 0) {
    key.oldest = added;
  } else {
    key.newest->newer = added;
  }
  key.newest = added;
  kept_.store(entries_.size(), std::memory_order_relaxed);
}

void history_keeper::remove(entry_list::iterator which, gone_messages& gone) {
  of_key& key = which->of->second;
  if (--key.kept != 0) key.oldest = which->newer;
  memory_.give_back(which->bytes);
  gone.add(which->message);
  if (spare_.empty()) {
    spare_.splice(spare_.end(), entries_, which);
  } else {
    entries_.erase(which);
  }
  kept_.store(entries_.size(), std::memory_order_relaxed);
}

void history_keeper::erase_if_empty(const key_map::value_type& which) {
  if (which.second.kept == 0) keys_.erase(keys_.find(which.first));
}

}  // namespace amphibus::detail
