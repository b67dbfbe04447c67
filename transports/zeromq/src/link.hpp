#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/base/error.hpp>
#include <amphibus/base/event.hpp>
#include <amphibus/base/ids.hpp>

#include "control.hpp"

namespace amphibus::zeromq {

/// What a link asks its driver to do.
struct send_control {
  control_body body;
};
/// Forget the connection and make a new one (connector only).
struct reopen {};
/// Connect to the peer's data endpoints from scratch.
struct open_data {
  std::vector<std::string> endpoints;  ///< one per route
};
struct close_data {};
/// The peer wants, or no longer wants, a topic of ours.
struct set_interest {
  std::string topic;
  bool wanted = false;
};
/// The same for every topic of ours that a pattern of the peer covers.
struct set_pattern {
  control_pattern what;
  bool wanted = false;
};
/// The peer has this topic: a pattern of ours may cover it.
struct offer_topic {
  control_topic what;
};
/// Answer the peer's marker of this revision on the data path.
struct send_sync {
  std::size_t route = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t revision = 0;
};
struct tell {
  event what;
};
/// The start is impossible.
struct fail_start {
  error why;
};
using link_action = std::variant<send_control, reopen, open_data, close_data, set_interest, set_pattern, offer_topic,
                                 send_sync, tell, fail_start>;

struct link_settings {
  std::string own_process;
  std::string peer_process;
  bool connects = false;  ///< this side opens the connection and owns its reconnect
  std::uint64_t routes_digest = 0;
  std::vector<std::string> data_endpoints;
  base::duration ping_interval = std::chrono::seconds(5);
};

/// The control conversation with one peer as a state machine: no socket, no clock, no thread of its own.
///
/// HELLO in both directions, then UPDATEs, READY, PINGs, BYE. The peer's subscriptions count as effective for us once
/// its marker came through the data path *and* the control messages that announce them are processed; ours count as
/// confirmed once the peer's SYNC for our current revision came back on every route. Thread: confined to the I/O
/// thread.
class link {
 public:
  explicit link(link_settings with) : settings_(std::move(with)) {}

  // What happens to it; each call may leave actions.
  void on_connected(base::time_point now);
  void on_message(base::time_point now, const control_message& message);
  void on_timer(base::time_point now);
  /// Our topics or patterns changed; `all` is what there is now, both sorted. The revision is another where what is
  /// subscribed is.
  void on_local_change(base::time_point now, update all);
  /// A SUB of one route subscribed to its marker. Returns: false if it is not this peer's (yet): offer it again later.
  bool on_marker(std::size_t route, std::uint64_t incarnation, std::uint64_t revision);
  /// The peer answered our marker on one route.
  void on_sync(std::size_t route, std::uint64_t revision);
  /// Every peer confirmed our subscriptions: say so once.
  void announce_ready(base::time_point now);
  void say_bye(base::time_point now);
  /// The peer's data goodbye came through on every route.
  void on_data_goodbye(base::time_point now);

  [[nodiscard]] std::vector<link_action> take_actions() { return std::exchange(actions_, {}); }
  [[nodiscard]] base::time_point next_timer() const noexcept;

  [[nodiscard]] bool established() const noexcept { return state_ == state::established; }
  /// Returns: why we cannot talk to a peer that greets like this.
  [[nodiscard]] std::optional<error> objection(const hello& from_peer) const;
  /// All our subscriptions of the current revision are effective at the peer.
  [[nodiscard]] bool confirmed() const noexcept;
  [[nodiscard]] bool peer_ready() const noexcept { return established() && peer_ready_; }
  /// Nothing more is owed to this peer: it has our goodbye, said its own, or is not there.
  [[nodiscard]] bool settled() const noexcept { return !established() || bye_confirmed_ || peer_said_bye_; }
  [[nodiscard]] std::uint64_t peer_incarnation() const noexcept { return peer_; }
  [[nodiscard]] const std::string& peer_process() const noexcept { return settings_.peer_process; }
  /// What the peer said of a topic of its own; nullptr: nothing yet.
  [[nodiscard]] const control_topic* find_announced(std::string_view topic) const;

 private:
  enum class state : std::uint8_t { idle, greeting, established, refused };

  void greet(base::time_point now);
  void handle(base::time_point now, const hello& from_peer, std::uint64_t incarnation);
  void handle(base::time_point now, const update& from_peer);
  void handle(const reject& from_peer);
  [[nodiscard]] std::optional<error> type_objection(const std::vector<control_topic>& theirs) const;
  [[nodiscard]] std::optional<error> group_objection(const std::vector<control_group>& theirs) const;
  [[nodiscard]] std::optional<error> count_objection(const std::vector<control_topic>& changed) const;
  [[nodiscard]] error too_many_topics() const;
  void refuse(base::time_point now, const error& why);
  void adopt(const std::vector<control_topic>& changed);
  void adopt(const std::vector<control_pattern>& all);
  void answer_markers();
  /// Patterns whose marker came through on every route become interest.
  void begin_patterns();
  void offer_all();
  void lose(event_kind how, const std::string& why);
  void forget_peer();
  void send(base::time_point now, control_body body);
  void tell_event(event_kind kind, const std::string& text);

  link_settings settings_;
  state state_ = state::idle;
  std::vector<link_action> actions_;
  update own_;                     // everything, sorted
  bool greeted_with_all_ = false;  // nothing of own_ is newer than our hello
  std::uint64_t peer_ = 0;
  std::uint64_t peer_revision_ = 0;
  std::map<std::string, control_topic, std::less<>> peer_topics_;
  struct announced_pattern {
    std::uint64_t revision;
    bool wanted;  // its markers came through
  };
  std::map<control_pattern, announced_pattern> peer_patterns_;
  std::vector<control_group> peer_groups_;
  // Subscriptions of the peer whose marker has not come through the data path: what is published before is for nobody.
  struct announced_interest {
    std::string topic;
    std::size_t route;
    std::uint64_t revision;
  };
  std::vector<announced_interest> announced_;
  std::map<std::size_t, std::uint64_t> markers_;  // route -> revision asked for before we knew it
  std::map<std::size_t, std::uint64_t> marked_;   // route -> revision of the last marker that was answered
  std::map<std::size_t, std::uint64_t> synced_;   // route -> revision
  bool peer_ready_ = false;
  bool said_ready_ = false;
  bool said_bye_ = false;
  bool bye_confirmed_ = false;
  bool peer_said_bye_ = false;
  bool peer_data_ended_ = false;
  base::time_point last_sent_{};
  base::time_point last_heard_{};
};

}  // namespace amphibus::zeromq
