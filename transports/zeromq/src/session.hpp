#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include <amphibus/transport/transport.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include "connection_guard.hpp"
#include "event_waker.hpp"
#include "guard_thread.hpp"
#include "inbound.hpp"
#include "link.hpp"
#include "observers.hpp"
#include "outbound.hpp"
#include "sockets.hpp"

namespace amphibus::zeromq {

/// One open ZeroMQ transport: every socket, one thread that drives links, outbounds and inbounds, and for tcp one that
/// guards the data endpoints.
class session final : public transport::session {
 public:
  /// Binds everything. Throws: error endpoint_in_use, endpoint_invalid.
  session(transport::settings with, const options& chosen, transport::host& host);
  ~session() override;

  [[nodiscard]] transport::waker& wake_handle() noexcept override { return waker_; }
  void topics_changed() noexcept override;
  void start_confirming() noexcept override;
  [[nodiscard]] std::vector<std::string> missing_peers() const override;
  std::vector<std::string> close(base::time_point deadline) override;

 private:
  struct peer {
    explicit peer(link_settings with) : talk(std::move(with)) {}
    std::string endpoint;
    bool connects = false;
    zmq::socket_t dealer;    // where we connect
    std::string routing_id;  // where it connects: known after its hello
    link talk;
    std::vector<std::unique_ptr<inbound>> data;  // one per route
    std::vector<inbound::progress> came_so_far;  // one per route, of the link before, while there is none
    std::set<std::string> wants;
    std::set<control_pattern> wants_patterns;
    std::set<std::size_t> goodbyes;  // routes whose data ended
  };

  void bind_control();
  void bind_routes();
  void make_peers();
  void make_guards();
  [[nodiscard]] std::unique_ptr<connection_guard> guard_publishing(zmq::socket_t& socket, base::duration silence);
  std::unique_ptr<guard_thread> start_guards(std::vector<std::unique_ptr<connection_guard>> guards);

  void run();
  [[nodiscard]] bool blocks(std::size_t route) const;
  /// Data, and control where `whole` or when it has waited for some turns. Returns: true if anything moved.
  bool turn(base::time_point now, bool whole);
  bool control_turn(base::time_point now);
  [[nodiscard]] bool expects_room(base::time_point now) const;
  void sleep(base::time_point now);
  [[nodiscard]] bool prepare_to_sleep();
  [[nodiscard]] base::time_point next_timer() const;

  void take_requests(base::time_point now);
  /// Tells peers of topics that are new; called before the first message of a topic leaves, too.
  void announce_changes(base::time_point now);
  [[nodiscard]] inbound::interests interests_on(std::size_t route) const;
  void subscribe(peer& at);
  bool receive_router(base::time_point now);
  /// Whether this hello is listened to; otherwise it is told and, if it makes sense, answered.
  bool may_greet(const peer& as, const std::string& routing_id, const hello& greeting);
  void send_to(const std::string& routing_id, const control_body& body);
  bool receive_dealer(peer& from, base::time_point now);
  bool receive_markers(std::size_t route);
  /// Cuts who sends what never ends.
  void watch_connections();
  void offer_markers();
  /// Returns: false where no observer sent it.
  bool receive_observer(const std::string& id, const control_message& message, base::time_point now);
  void forget_observers(base::time_point now);
  void show_batches();
  [[nodiscard]] tap_socket open_tap();
  [[nodiscard]] described describe_topic(const std::string& topic) const;
  void connect(peer& to, base::time_point now);
  void perform(peer& of, base::time_point now);
  void perform_one(peer& of, const send_control& what, base::time_point now);
  void perform_one(peer& of, const reopen& what, base::time_point now);
  void perform_one(peer& of, const open_data& what, base::time_point now);
  void perform_one(peer& of, const close_data& what, base::time_point now);
  void perform_one(peer& of, const set_interest& what, base::time_point now);
  void perform_one(peer& of, const set_pattern& what, base::time_point now);
  void perform_one(peer& of, const offer_topic& what, base::time_point now);
  void perform_one(peer& of, const send_sync& what, base::time_point now);
  void perform_one(peer& of, const tell& what, base::time_point now);
  void perform_one(peer& of, const fail_start& what, base::time_point now);
  peer* find_peer(std::string_view process);
  void update_readiness(base::time_point now);
  void say_goodbye(base::time_point now);
  void reject_input(const std::string& from, const char* why);

  const transport::settings settings_;
  const options options_;
  transport::host& host_;
  endpoint control_;
  endpoint advertised_;
  path_lock lock_;
  event_waker waker_;
  std::atomic<std::size_t> connections_cut_{0};  // not told yet
  zmq::context_t context_;
  zmq::socket_t router_;
  std::vector<std::unique_ptr<outbound>> routes_;
  std::vector<std::string> data_endpoints_;
  std::unique_ptr<connection_guard> control_guard_;  // of tcp only, like those of the routes
  std::vector<std::unique_ptr<peer>> peers_;
  struct unclaimed_marker {
    std::size_t route;
    marker what;
  };
  std::vector<unclaimed_marker> markers_;
  observers observers_;
  int taps_opened_ = 0;
  std::map<std::string, std::string_view, std::less<>> schemas_;  // of the types of own topics

  update own_;  // topics and patterns as the links know them
  bool confirming_ = false;
  bool all_ready_ = false;
  bool said_goodbye_ = false;
  int data_turns_ = 0;
  base::time_point last_control_turn_{};
  bool connections_stirred_ = true;  // the control endpoint's
  base::time_point last_watch_{};
  std::uint64_t rejected_ = 0;
  base::time_point next_report_{};

  std::atomic<bool> topics_changed_{true};
  std::atomic<bool> confirm_requested_{false};
  std::atomic<bool> goodbye_requested_{false};
  std::atomic<bool> stop_requested_{false};
  mutable std::mutex mutex_;
  base::parker settled_parker_;
  std::vector<std::string> missing_;    // guarded by mutex_
  std::vector<std::string> unsettled_;  // guarded by mutex_
  bool goodbye_said_ = false;           // guarded by mutex_
  std::unique_ptr<guard_thread> route_guards_;
  std::thread thread_;
};

}  // namespace amphibus::zeromq
