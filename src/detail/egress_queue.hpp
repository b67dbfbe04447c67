#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <amphibus/detail/bus_core.hpp>
#include <amphibus/detail/egress_inbox.hpp>
#include <amphibus/transport/transport.hpp>

namespace amphibus::detail {

/// The outgoing messages of one route: an inbox whose consumer is a transport's I/O thread.
class egress_queue final : public egress_inbox, public transport::egress {
 public:
  static constexpr std::int64_t capacity = 16'384;
  static constexpr std::int64_t capacity_bytes = std::int64_t{64} << 20U;
  static constexpr std::size_t batch_max = 256;

  egress_queue(bus_core& core, std::string name, queue::overflow_rule overflow)
      : egress_inbox(capacity, overflow, capacity_bytes / capacity), core_(core), name_(std::move(name)) {}
  /// Drops what waits. No transport drains any more, nobody publishes, and the topics are still there.
  void discard();

  void add_leaving(std::unique_ptr<leaving_reader> who) override;

  std::size_t drain(std::size_t max, transport::egress_sink& to) override;
  void finished(std::size_t count) override;
  bool prepare_to_sleep() override;

  /// Joins the I/O thread that is to be woken, or nullptr when it ended.
  void set_waker(transport::waker* waker) noexcept;
  void add_topic(topic_core& topic);
  [[nodiscard]] std::atomic<bool>& has_dropped() noexcept { return has_dropped_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 protected:
  void activated() noexcept override;

 private:
  void take_new_readers();
  std::size_t drain_readers(std::size_t max, transport::egress_sink& to);
  std::size_t drain_queue(std::size_t max, transport::egress_sink& to);
  void hand_out(topic_core& topic, const leaving_reader::run& run, transport::egress_sink& to);
  void hand_out(topic_core& topic, identity_word identity, const void* value, transport::egress_sink& to);
  void hand_out_drops(transport::egress_sink& to);
  void tell_expired();

  bus_core& core_;
  const std::string name_;
  queue::reader_list<std::unique_ptr<leaving_reader>> readers_;
  // I/O thread:
  std::uint64_t drained_ = 0;
  std::uint64_t done_ = 0;     // of those
  std::uint64_t expired_ = 0;  // and not told
  base::time_point next_expiry_report_{};
  struct heavy {
    std::uint64_t position;  // among all that were drained
    std::int64_t places;
  };
  std::deque<heavy> heavy_;  // drained, not finished, of more than one place
  std::atomic<bool> has_dropped_{false};
  std::mutex mutex_;
  transport::waker* waker_ = nullptr;
  std::vector<topic_core*> topics_;
};

}  // namespace amphibus::detail
