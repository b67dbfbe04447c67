#include "link.hpp"

#include <algorithm>
#include <set>
#include <tuple>

namespace amphibus::zeromq {
namespace {

constexpr int missed_pings_max = 2;

std::set<std::string> types_of(const update& all) {
  std::set<std::string> out;
  for (const control_topic& each : all.topics) out.insert(each.type_name);
  return out;
}

}  // namespace

void link::send(base::time_point now, control_body body) {
  last_sent_ = now;
  actions_.emplace_back(send_control{std::move(body)});
}

void link::tell_event(event_kind kind, const std::string& text) {
  actions_.emplace_back(tell{{kind, "", "", settings_.peer_process, 0, text}});
}

void link::greet(base::time_point now) {
  hello own;
  own.process = settings_.own_process;
  own.routes_digest = settings_.routes_digest;
  own.data_endpoints = settings_.data_endpoints;
  own.revision = own_.revision;
  own.topics = own_.topics;
  own.patterns = own_.patterns;
  own.groups = own_.groups;
  greeted_with_all_ = true;
  send(now, std::move(own));
}

void link::on_connected(base::time_point now) {
  state_ = state::greeting;
  last_heard_ = now;
  greet(now);
}

void link::on_message(base::time_point now, const control_message& message) {
  if (const auto* greeting = std::get_if<hello>(&message.body)) return handle(now, *greeting, message.incarnation);
  if (const auto* no = std::get_if<reject>(&message.body)) return handle(*no);
  // Frames of an earlier life of the peer are normal after a restart.
  if (state_ != state::established || message.incarnation != peer_) return;
  last_heard_ = now;
  if (const auto* changed = std::get_if<update>(&message.body)) return handle(now, *changed);
  if (std::holds_alternative<ready>(message.body)) peer_ready_ = true;
  if (std::holds_alternative<bye_ok>(message.body)) bye_confirmed_ = true;
  if (std::holds_alternative<bye>(message.body)) {
    const bool first = !std::exchange(peer_said_bye_, true);
    if (first && peer_data_ended_) send(now, bye_ok{});
    if (first) tell_event(event_kind::peer_closed, "said goodbye");
  }
}

void link::handle(base::time_point now, const hello& from_peer, std::uint64_t incarnation) {
  if (const auto why = objection(from_peer)) return refuse(now, *why);
  const bool restarted = peer_ != 0 && peer_ != incarnation && state_ == state::established && !peer_said_bye_;
  if (restarted) tell_event(event_kind::peer_lost, "came back as a new process");
  forget_peer();
  peer_ = incarnation;
  peer_groups_ = from_peer.groups;
  last_heard_ = now;
  if (!settings_.connects) greet(now);
  state_ = state::established;
  peer_revision_ = from_peer.revision;
  adopt(from_peer.topics);
  adopt(from_peer.patterns);
  actions_.emplace_back(open_data{from_peer.data_endpoints});
  tell_event(event_kind::peer_connected, "incarnation " + to_string(source_id{incarnation, 0}));
  // Our hello may be older than our topics: we were not allowed to send updates before the peer answered.
  if (!greeted_with_all_) send(now, own_);
  if (said_ready_) send(now, ready{});
  if (said_bye_) send(now, bye{});
}

void link::handle(base::time_point now, const update& from_peer) {
  if (const auto why = count_objection(from_peer.topics)) return refuse(now, *why);
  if (const auto why = type_objection(from_peer.topics)) return refuse(now, *why);
  if (const auto why = group_objection(from_peer.groups)) return refuse(now, *why);
  peer_groups_ = from_peer.groups;
  peer_revision_ = from_peer.revision;
  adopt(from_peer.topics);
  adopt(from_peer.patterns);
  answer_markers();
}

void link::handle(const reject& from_peer) {
  if (state_ == state::refused) return;
  state_ = state::refused;
  const error why(static_cast<error_code>(from_peer.code),
                  "process '" + settings_.peer_process + "' refuses this one: " + escaped(from_peer.text),
                  "start both from the same file and the same build");
  actions_.emplace_back(close_data{});
  actions_.emplace_back(fail_start{why});
}

std::optional<error> link::objection(const hello& from_peer) const {
  const error_location where{"process " + settings_.peer_process};
  if (protocol_version < from_peer.protocol_min || protocol_version > from_peer.protocol_max) {
    return error(error_code::peer_protocol,
                 "process '" + settings_.peer_process + "' speaks protocol " + std::to_string(from_peer.protocol_min) +
                     " to " + std::to_string(from_peer.protocol_max) + ", '" + settings_.own_process + "' speaks " +
                     std::to_string(protocol_version),
                 "run builds whose protocol ranges overlap", where);
  }
  if (from_peer.process != settings_.peer_process) {
    return error(
        error_code::peer_routes,
        "process '" + escaped(from_peer.process) + "' answers where '" + settings_.peer_process + "' was expected",
        "check the endpoints of the file", where);
  }
  const bool compared = from_peer.routes_digest != no_routes_digest;  // a program without our configuration cannot
  const bool same = (!compared || from_peer.routes_digest == settings_.routes_digest) &&
                    from_peer.data_endpoints.size() == settings_.data_endpoints.size();
  if (!same) {
    return error(error_code::peer_routes,
                 "process '" + settings_.peer_process + "' was started with other processes, modules or routes than '" +
                     settings_.own_process + "'",
                 "start every process from the same file; compare with --describe", where);
  }
  if (from_peer.topics.size() > control_topics_max) return too_many_topics();
  if (auto why = type_objection(from_peer.topics)) return why;
  return group_objection(from_peer.groups);
}

std::optional<error> link::group_objection(const std::vector<control_group>& theirs) const {
  for (const control_group& each : theirs) {
    if (!std::binary_search(own_.groups.begin(), own_.groups.end(), each)) continue;
    return error(error_code::group_spans_processes,
                 "group '" + escaped(each.name) + "' of '" + each.of + "' has members in '" + settings_.own_process +
                     "' and in '" + settings_.peer_process + "', where each would get every message",
                 "keep its members in one process, or name two groups: level best_effort cannot share a group's "
                 "messages out between processes",
                 {"process " + settings_.peer_process});
  }
  return std::nullopt;
}

std::optional<error> link::type_objection(const std::vector<control_topic>& theirs) const {
  for (const control_topic& other : theirs) {
    const auto own = std::lower_bound(own_.topics.begin(), own_.topics.end(), other.name,
                                      [](const control_topic& a, const std::string& name) { return a.name < name; });
    if (own == own_.topics.end() || own->name != other.name) continue;
    if (own->type_name == other.type_name && own->major == other.major) continue;
    return error(error_code::peer_type,
                 "topic '" + other.name + "' is " + own->type_name + " major " + std::to_string(own->major) + " in '" +
                     settings_.own_process + "' and " + escaped(other.type_name) + " major " +
                     std::to_string(other.major) + " in '" + settings_.peer_process + "'",
                 "build both processes with the same message type; equal majors can read each other",
                 {"process " + settings_.peer_process});
  }
  return std::nullopt;
}

std::optional<error> link::count_objection(const std::vector<control_topic>& changed) const {
  const auto more = std::count_if(changed.begin(), changed.end(),
                                  [this](const control_topic& each) { return !peer_topics_.contains(each.name); });
  const std::size_t sum = peer_topics_.size() + static_cast<std::size_t>(more);
  if (std::max(sum, changed.size()) <= control_topics_max) return std::nullopt;
  return too_many_topics();
}

error link::too_many_topics() const {
  return {error_code::peer_protocol,
          "process '" + settings_.peer_process + "' has more than 20,000 topics on routes of this transport",
          "put what makes the names many into the message or its key",
          {"process " + settings_.peer_process}};
}

void link::refuse(base::time_point now, const error& why) {
  send(now, rejection(why));
  if (state_ == state::refused) return;
  forget_peer();
  state_ = state::refused;
  actions_.emplace_back(close_data{});
  tell_event(event_kind::peer_refused, why.text());
  actions_.emplace_back(fail_start{why});
}

void link::adopt(const std::vector<control_topic>& changed) {
  for (const control_topic& each : changed) {
    const auto [known, is_new] = peer_topics_.try_emplace(each.name);
    const bool before = std::exchange(known->second, each).subscribed;
    if (is_new) actions_.emplace_back(offer_topic{each});
    if (before == each.subscribed) continue;
    std::erase_if(announced_, [&](const announced_interest& of) { return of.topic == each.name; });
    if (each.subscribed) {
      announced_.push_back({each.name, each.route, peer_revision_});
    } else {
      actions_.emplace_back(set_interest{each.name, false});
    }
  }
}

void link::adopt(const std::vector<control_pattern>& all) {
  const std::set<control_pattern> now(all.begin(), all.end());
  std::erase_if(peer_patterns_, [&](const auto& known) {
    if (now.contains(known.first)) return false;
    if (known.second.wanted) actions_.emplace_back(set_pattern{known.first, false});
    return true;
  });
  for (const control_pattern& each : now) peer_patterns_.try_emplace(each, announced_pattern{peer_revision_, false});
}

void link::on_local_change(base::time_point now, update all) {
  update changed{all.revision, {}, all.patterns, all.groups};
  for (const control_topic& each : all.topics) {
    if (!std::binary_search(own_.topics.begin(), own_.topics.end(), each, [](const auto& a, const auto& b) {
          return std::tie(a.name, a.subscribed) < std::tie(b.name, b.subscribed);
        })) {
      changed.topics.push_back(each);
    }
  }
  const bool other_interests = all.patterns != own_.patterns || types_of(all) != types_of(own_);
  own_ = std::move(all);
  greeted_with_all_ = false;
  if (state_ != state::established) return;
  std::vector<control_topic> theirs;
  for (const auto& [name, topic] : peer_topics_) theirs.push_back(topic);
  if (const auto why = type_objection(theirs)) return refuse(now, *why);
  if (const auto why = group_objection(peer_groups_)) return refuse(now, *why);
  if (other_interests) offer_all();
  send(now, std::move(changed));
}

void link::offer_all() {
  for (const auto& [name, topic] : peer_topics_) actions_.emplace_back(offer_topic{topic});
}

const control_topic* link::find_announced(std::string_view topic) const {
  const auto found = peer_topics_.find(topic);
  return found == peer_topics_.end() ? nullptr : &found->second;
}

bool link::on_marker(std::size_t route, std::uint64_t incarnation, std::uint64_t revision) {
  if (incarnation != peer_ || !established()) return false;
  markers_[route] = revision;
  answer_markers();
  return true;
}

void link::answer_markers() {
  std::erase_if(markers_, [this](const auto& each) {
    if (each.second > peer_revision_) return false;
    // Before the sync: whoever gets it may rely on what is published from now on.
    std::erase_if(announced_, [&](const announced_interest& of) {
      if (of.route != each.first || of.revision > each.second) return false;
      actions_.emplace_back(set_interest{of.topic, true});
      return true;
    });
    marked_[each.first] = each.second;
    begin_patterns();
    actions_.emplace_back(send_sync{each.first, peer_, each.second});
    return true;
  });
}

void link::begin_patterns() {
  for (auto& [pattern, known] : peer_patterns_) {
    bool everywhere = !known.wanted;
    for (std::size_t route = 0; everywhere && route != settings_.data_endpoints.size(); ++route) {
      const auto marked = marked_.find(route);
      everywhere = marked != marked_.end() && marked->second >= known.revision;
    }
    if (!everywhere) continue;
    known.wanted = true;
    actions_.emplace_back(set_pattern{pattern, true});
  }
}

void link::on_sync(std::size_t route, std::uint64_t revision) { synced_[route] = std::max(synced_[route], revision); }

bool link::confirmed() const noexcept {
  return established() && synced_.size() == settings_.data_endpoints.size() &&
         std::all_of(synced_.begin(), synced_.end(), [this](const auto& each) { return each.second == own_.revision; });
}

void link::announce_ready(base::time_point now) {
  if (std::exchange(said_ready_, true) || !established()) return;
  send(now, ready{});
}

void link::say_bye(base::time_point now) {
  // Who has not answered our hello may have it all the same, and would wait for us.
  if (std::exchange(said_bye_, true) || (!established() && state_ != state::greeting)) return;
  send(now, bye{});
}

void link::on_data_goodbye(base::time_point now) {
  peer_data_ended_ = true;
  if (peer_said_bye_) send(now, bye_ok{});
}

void link::on_timer(base::time_point now) {
  if (state_ == state::idle || state_ == state::refused) return;
  if (now - last_heard_ >= missed_pings_max * settings_.ping_interval) {
    const bool farewell = peer_said_bye_;
    lose(event_kind::peer_lost, farewell ? "" : "silent for too long: dead, stopped or unreachable");
    return;
  }
  if (state_ == state::established && now - last_sent_ >= settings_.ping_interval) send(now, ping{});
}

base::time_point link::next_timer() const noexcept {
  if (state_ == state::idle || state_ == state::refused) return base::time_point::max();
  const auto silence = last_heard_ + missed_pings_max * settings_.ping_interval;
  return state_ == state::established ? std::min(silence, last_sent_ + settings_.ping_interval) : silence;
}

void link::lose(event_kind how, const std::string& why) {
  const bool told = state_ == state::established && !why.empty();
  forget_peer();
  state_ = state::idle;
  actions_.emplace_back(close_data{});
  if (told) tell_event(how, why);
  if (settings_.connects) actions_.emplace_back(reopen{});
}

void link::forget_peer() {
  for (const auto& [name, topic] : peer_topics_) {
    if (topic.subscribed) actions_.emplace_back(set_interest{name, false});
  }
  for (const auto& [pattern, known] : peer_patterns_) {
    if (known.wanted) actions_.emplace_back(set_pattern{pattern, false});
  }
  peer_topics_.clear();
  peer_patterns_.clear();
  peer_groups_.clear();
  announced_.clear();
  markers_.clear();
  marked_.clear();
  synced_.clear();
  peer_revision_ = 0;
  peer_ready_ = peer_said_bye_ = peer_data_ended_ = bye_confirmed_ = false;
}

}  // namespace amphibus::zeromq
