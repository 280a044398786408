// SPDX-License-Identifier: MIT
/// @file
/// Small random networks over all rules, for tests of soundness and a record of tightness.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sigmax/core/error.hpp>
#include <sigmax/core/matrix.hpp>
#include <sigmax/core/random.hpp>
#include <sigmax/lipschitz/attention_layers.hpp>
#include <sigmax/lipschitz/certify.hpp>
#include <sigmax/lipschitz/network.hpp>
#include <sigmax/lipschitz/normalization_layers.hpp>
#include <sigmax/lipschitz/pooling_layers.hpp>
#include <sigmax/lipschitz/rules.hpp>

namespace random_graphs {

using namespace sigmax;
using namespace sigmax::lipschitz;

/// A stream of choices.
class choices {
 public:
  explicit choices(std::uint64_t seed) : numbers_(seed) {}
  std::uint64_t below(std::uint64_t count) { return numbers_.bits(next_++) % count; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }
  double normal() { return numbers_.normal(next_++); }
  double uniform(double low, double high) { return low + (high - low) * numbers_.uniform(next_++); }
  index_t extent(std::uint64_t most) { return static_cast<index_t>(1 + below(most)); }
  std::vector<double> normals(std::size_t count, double scale = 1) {
    std::vector<double> result(count);
    for (double& x : result) x = scale * normal();
    return result;
  }
  weight matrix_of(index_t rows, index_t cols) {
    matrix<double> w(rows, cols);
    // Some have few directions, some only positive elements: where bounds differ most.
    bool const positive = one_in(5);
    double const scale = 1.0 / std::sqrt(static_cast<double>(cols));
    for (index_t i = 0; i < w.size(); ++i) {
      double const x = scale * normal();
      w.data()[i] = positive ? std::fabs(x) : x;
    }
    return weight::owning(std::move(w));
  }

 private:
  random_sequence numbers_;
  std::uint64_t next_ = 0;
};

// Arguments of one call are evaluated in the order a compiler likes: no call here draws twice, so that networks are the
// same everywhere.

/// Adds one random operator that reads `from` (and what else it needs); false if the drawn one does not fit.
using grow = bool (*)(choices& draw, network& net, node_id from);

/// Another node of the same shape, `from` itself where there is none.
inline node_id partner(choices& draw, network const& net, node_id from) {
  std::vector<node_id> fitting;
  for (node_id id = 0; id < net.size(); ++id) {
    if (net[id].shape == net[from].shape) fitting.push_back(id);
  }
  return fitting[draw.below(fitting.size())];
}

/// Adds by `add`; false, and the network is as it was, where the shapes do not fit or would become too large.
template <class Add>
bool try_add(network& net, node_id from, Add const& add) {
  network grown = net;
  try {
    add(grown);
  } catch (shape_error const&) {
    return false;
  } catch (domain_error const&) {
    return false;
  }
  index_t const count = element_count(grown[grown.size() - 1].shape);
  if (count == 0 || count > 60 + element_count(net[from].shape)) return false;
  net = std::move(grown);
  return true;
}

inline rules::sliding_window random_window(choices& draw) {
  return {.kernel = draw.extent(3),
          .stride = draw.extent(3),
          .dilation = draw.extent(2),
          .pad_begin = draw.extent(2) - 1,
          .pad_end = draw.extent(2) - 1,
          .ceiling = draw.one_in(2)};
}

struct operator_kind {
  char const* name;
  grow add;
};

/// One entry for every operator a network can hold.
inline std::vector<operator_kind> const& operator_kinds() {
  static std::vector<operator_kind> const kinds{
      {"linear",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.empty()) return false;
         index_t const rows = draw.extent(6);
         auto w = draw.matrix_of(rows, net[from].shape.back());
         net.add(rules::linear(std::move(w), draw.one_in(3) ? -0.5 : 1.0), {from});
         return true;
       }},
      {"activation",
       [](choices& draw, network& net, node_id from) {
         auto const table = rules::activation_table();
         net.add(rules::activation(table[draw.below(table.size())]), {from});
         return true;
       }},
      {"relu",
       [](choices&, network& net, node_id from) {
         net.add(relu(), {from});
         return true;
       }},
      {"add_constant",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         auto const width = draw.one_in(2) || shape.empty() ? element_count(shape) : shape.back();
         net.add(rules::add_constant(draw.normals(static_cast<std::size_t>(width))), {from});
         return true;
       }},
      {"scale",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         auto const width = draw.one_in(2) || shape.empty() ? index_t{1} : shape.back();
         net.add(rules::scale(draw.normals(static_cast<std::size_t>(width))), {from});
         return true;
       }},
      {"weighted_sum",
       [](choices& draw, network& net, node_id from) {
         interval const factor = interval(1.0) - interval(draw.uniform(-1, 2));
         net.add(rules::weighted_sum({1.0, factor}), {from, partner(draw, net, from)});
         return true;
       }},
      {"rearrange",
       [](choices& draw, network& net, node_id from) {
         auto const count = static_cast<std::uint64_t>(element_count(net[from].shape));
         tensor_shape const to{draw.extent(3), draw.extent(4)};
         std::vector<index_t> map(static_cast<std::size_t>(element_count(to)));
         for (index_t& m : map) m = static_cast<index_t>(draw.below(count + 1)) - 1;
         net.add(rules::rearrange(to, std::move(map), "gather"), {from});
         return true;
       }},
      {"reshape",
       [](choices& draw, network& net, node_id from) {
         index_t const count = element_count(net[from].shape);
         index_t const rows = draw.extent(4);
         if (count % rows != 0) return false;
         net.add(rules::rearrange({rows, count / rows}), {from});
         return true;
       }},
      {"convolution",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         if (shape.size() != 3) return false;
         index_t const kernel = draw.extent(3);
         index_t const out = draw.extent(3);
         bool const depthwise = draw.one_in(4);
         rules::convolution_options options{
             .strides = {draw.extent(2), draw.extent(2)},
             .dilations = {draw.extent(2), 1},
             .pads_begin = {draw.extent(3) - 1, draw.extent(2) - 1},
             .pads_end = {draw.extent(2) - 1, draw.extent(3) - 1},
             .groups = depthwise ? shape[0] : 1,
         };
         index_t const in = depthwise ? 1 : shape[0];
         bool const transposed = draw.one_in(4);
         index_t const rows = transposed ? shape[0] : depthwise ? shape[0] * out : out;
         index_t const channels = transposed ? out : in;
         if (transposed) options.groups = 1;
         auto const w = draw.matrix_of(rows, channels * kernel * kernel);
         return try_add(net, from, [&](network& into) {
           if (transposed) {
             into.add(rules::transposed_convolution(w, {kernel, kernel}, options), {from});
           } else {
             into.add(rules::convolution(w, {kernel, kernel}, options), {from});
           }
         });
       }},
      {"max_pool",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.size() != 3) return false;
         return try_add(net, from, [&](network& into) {
           auto const what =
               draw.one_in(4) ? rules::window_pool::operation::length : rules::window_pool::operation::maximum;
           into.add(rules::window_pool({random_window(draw), random_window(draw)}, what), {from});
         });
       }},
      {"average_pool",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.size() != 3) return false;
         return try_add(net, from, [&](network& into) {
           bool const counts_padding = draw.one_in(2);
           append(average_pool({random_window(draw), random_window(draw)}, counts_padding), into, from);
         });
       }},
      {"channel",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         if (shape.size() != 3) return false;
         std::vector<interval> numbers;
         for (index_t c = 0; c < shape[0]; ++c) numbers.emplace_back(draw.normal());
         net.add(draw.one_in(2) ? rules::channel::scale(numbers, shape[1] * shape[2])
                                : rules::channel::shift(numbers, shape[1] * shape[2]),
                 {from});
         return true;
       }},
      {"concatenate",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         if (shape.empty() || element_count(shape) > 40) return false;
         std::size_t const axis = draw.below(shape.size());
         net.add(rules::concatenate(2, axis), {from, partner(draw, net, from)});
         return true;
       }},
      {"softmax",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.empty()) return false;
         auto const axis = static_cast<index_t>(draw.below(net[from].shape.size()));
         double const temperature = draw.uniform(0.3, 2);
         if (draw.one_in(3)) {
           net.add(rules::log_softmax({axis, axis}, temperature), {from});
         } else if (draw.one_in(3)) {
           net.add(rules::log_sum_exp({axis, axis}), {from});
         } else {
           net.add(rules::softmax({axis, axis}, temperature), {from});
         }
         return true;
       }},
      {"normalization",
       [](choices& draw, network& net, node_id from) {
         auto const& shape = net[from].shape;
         if (shape.empty()) return false;
         auto const width = static_cast<std::size_t>(shape.back());
         double const epsilon = std::exp(draw.uniform(std::log(1e-3), 0));
         switch (draw.below(4)) {
           case 0:
             net.add(rms_normalization(draw.normals(width), epsilon), {from});
             break;
           case 1: {
             auto const gain = draw.normals(width);
             net.add(layer_normalization(gain, draw.normals(width), epsilon), {from});
             break;
           }
           case 2:
             net.add(l2_normalization(epsilon, draw.one_in(2) ? rules::radial_divisor::form::root
                                                              : rules::radial_divisor::form::maximum),
                     {from});
             break;
           default:
             net.add(layer_normalization({}, {}, epsilon, static_cast<index_t>(shape.size())), {from});
         }
         return true;
       }},
      {"matrix_product",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.size() < 2) return false;
         return try_add(net, from, [&](network& into) {
           into.add(rules::matrix_product(),
                    {from, static_cast<node_id>(draw.below(static_cast<std::uint64_t>(into.size())))});
         });
       }},
      {"attention",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.size() < 2) return false;
         rules::attention_mask const mask = draw.one_in(2) ? rules::attention_mask::causal() : rules::attention_mask();
         double const scale = draw.uniform(-1, 1);
         node_id const keys = partner(draw, net, from);
         node_id const values = partner(draw, net, from);
         net.add(rules::attention(scale, mask), {from, keys, values});
         return true;
       }},
      {"self_attention",
       [](choices& draw, network& net, node_id from) {
         if (net[from].shape.size() < 2) return false;
         index_t const width = net[from].shape.back();
         index_t const heads = draw.extent(2);
         index_t const d = draw.extent(2);
         attention_options options{.heads = heads};
         if (draw.one_in(2)) options.mask = rules::attention_mask::causal();
         if (draw.one_in(2)) options.scale = draw.uniform(0.1, 1);
         auto const project = [&](index_t rows, index_t cols) {
           matrix<double> w(rows, cols);
           auto const values = draw.normals(static_cast<std::size_t>(w.size()), 0.5);
           std::copy(values.begin(), values.end(), w.data());
           return w;
         };
         auto q = project(heads * d, width);
         auto k = project(heads * d, width);
         auto v = project(heads * d, width);
         net.add(multi_head_attention(std::move(q), std::move(k), std::move(v), project(width, heads * d), options),
                 {from});
         return true;
       }},
  };
  return kinds;
}

/// A network of one to eight operators.
inline network random_network(std::uint64_t seed, std::map<std::string, int>* used = nullptr) {
  choices draw(seed);
  static std::vector<tensor_shape> const inputs{{4}, {1}, {6}, {2, 3}, {3, 4}, {2, 4, 4}, {1, 5, 3}};
  network net(inputs[draw.below(inputs.size())]);
  auto const& kinds = operator_kinds();
  auto const wanted = static_cast<node_id>(2 + draw.below(8));
  for (int attempt = 0; attempt < 60 && net.size() < wanted; ++attempt) {
    auto const& kind = kinds[draw.below(kinds.size())];
    // Mostly deep, sometimes wide.
    node_id const from =
        draw.one_in(3) ? static_cast<node_id>(draw.below(static_cast<std::uint64_t>(net.size()))) : net.size() - 1;
    if (kind.add(draw, net, from) && used != nullptr) ++(*used)[kind.name];
  }
  net.set_output(net.size() - 1);
  return net;
}

/// All inputs, a ball or a box.
inline input_domain random_domain(std::uint64_t seed, network const& net) {
  choices draw(seed ^ 0x5555555555555555u);
  auto const count = static_cast<std::size_t>(element_count(net.input_shape()));
  double const size = std::exp(draw.uniform(std::log(1e-3), std::log(3.0)));
  switch (draw.below(3)) {
    case 0:
      return {};
    case 1:
      return input_domain::ball(size, draw.normals(count));
    default: {
      auto lower = draw.normals(count);
      auto upper = lower;
      for (double& x : upper) x += draw.one_in(4) ? 0.0 : draw.uniform(0, size);
      return input_domain::box(std::move(lower), std::move(upper));
    }
  }
}

/// How often upper / lower was at most so much.
inline constexpr std::array<double, 10> ratio_limits{1.000001, 1.001, 1.01, 1.1, 1.25, 1.5, 2, 4, 16, 256};
using histogram = std::array<int, ratio_limits.size() + 1>;

inline void count(histogram& into, double ratio) {
  std::size_t bin = 0;
  while (bin < ratio_limits.size() && ratio > ratio_limits[bin]) ++bin;
  ++into[bin];
}

/// What came of many networks.
struct outcome {
  int networks = 0;
  int finite = 0;
  int unsound = 0;
  int compared = 0;
  histogram ratios{};
  std::map<std::string, int> used;
  std::string first_unsound;

  void refute(std::uint64_t seed, std::string const& why) {
    ++unsound;
    if (first_unsound.empty()) first_unsound = "seed " + std::to_string(seed) + ": " + why;
  }
  void include(outcome const& other) {
    networks += other.networks;
    finite += other.finite;
    unsound += other.unsound;
    compared += other.compared;
    for (std::size_t bin = 0; bin < ratios.size(); ++bin) ratios[bin] += other.ratios[bin];
    for (auto const& [name, times] : other.used) used[name] += times;
    if (first_unsound.empty()) first_unsound = other.first_unsound;
  }
};

inline norm::any norm_of(std::uint64_t seed) {
  std::array<norm::any, 3> const norms{norm::l2, norm::linf, norm::rms};
  return norms[seed % 3];
}

/// Certifies and attacks the network of a seed. A proven lower bound above the upper one is unsound, and so is what
/// `refuted(certificate, network, domain)` says, if it says anything.
template <class Refuted>
void run_one(std::uint64_t seed, attack_options const& attack, outcome& result, Refuted const& refuted) {
  network const net = random_network(seed, &result.used);
  auto const domain = random_domain(seed, net);
  ++result.networks;
  try {
    auto const c = certify(net, {.norm = norm_of(seed), .domain = domain, .attack_settings = attack});
    if (!c.is_finite()) return;
    ++result.finite;
    std::string const why = refuted(c, net, domain);
    if (!why.empty()) result.refute(seed, why);
    auto const& lower = c.lower();
    if (!lower->proven || !(lower->value > 0)) return;
    ++result.compared;
    count(result.ratios, c.upper() / lower->value);
  } catch (contradiction const& found) {
    result.refute(seed, found.what());
  }
}

/// The networks of seeds [first, last).
inline outcome run(std::uint64_t first, std::uint64_t last, attack_options const& attack) {
  outcome result;
  for (std::uint64_t seed = first; seed < last; ++seed) {
    run_one(seed, attack, result, [](auto const&...) { return std::string(); });
  }
  return result;
}

/// One line a bin.
inline std::string text(histogram const& h) {
  std::string lines;
  for (std::size_t bin = 0; bin < h.size(); ++bin) {
    char limit[32];
    auto const end =
        bin < ratio_limits.size() ? std::to_chars(limit, limit + sizeof limit, ratio_limits[bin]).ptr : limit;
    lines += (end == limit ? "above" : "<= " + std::string(limit, end)) + ": " + std::to_string(h[bin]) + "\n";
  }
  return lines;
}

/// One line a number, as a person reads it.
inline std::string text(outcome const& o) {
  std::string line = std::to_string(o.networks) + " networks, " + std::to_string(o.finite) + " with a finite bound, " +
                     std::to_string(o.compared) + " compared, " + std::to_string(o.unsound) +
                     " unsound\nupper / lower\n" + text(o.ratios);
  for (auto const& [name, times] : o.used) line += name + " " + std::to_string(times) + ", ";
  return line + "\n" + o.first_unsound;
}

}  // namespace random_graphs
