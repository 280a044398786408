// SPDX-License-Identifier: MIT
// sigmax-certify: proven Lipschitz bounds of ONNX networks, proven norms of safetensors weights.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sigmax/io/atomic_file.hpp>
#include <sigmax/io/printable.hpp>
#include <sigmax/io/read_file.hpp>
#include <sigmax/kernels.hpp>

#include "arguments.hpp"
#include "check_proof.hpp"
#include "comparison.hpp"
#include "digest.hpp"
#include "domain_file.hpp"
#include "heartbeat.hpp"
#include "network.hpp"
#include "outcome.hpp"
#include "report/write_comparison.hpp"
#include "report/write_report.hpp"
#include "thread_pool/thread_pool.hpp"
#include "weights.hpp"

namespace certify_program {

namespace {

/// Reads one file, finds out what it is and certifies it. Throws what reading throws.
void certify_file(sigmax::cpu::native const& on, arguments const& options, requested_domain const& domain,
                  outcome& result) {
  progress work;
  heartbeat const alive("certifying " + sigmax::io::printable(result.path), work);
  auto const bytes = sigmax::io::read_file(result.path, options.max_memory);
  auto const digest = sha256(bytes);
  if (is_weights(result.path, bytes)) {
    // On one thread: what several pack is not in the memory that is promised.
    certify_weights(on.using_workers(sigmax::executor()), bytes, digest, options, work, result);
  } else if (!options.check_proof.empty()) {
    check_proof(on, bytes, digest, options, work, result);
  } else {
    certify_network(on, bytes, digest, options, domain, work, result);
  }
}

/// The same without exceptions.
outcome outcome_of(sigmax::cpu::native const& on, std::string const& path, arguments const& options,
                   requested_domain const& domain) {
  outcome result{.path = path};
  auto const text = sigmax::io::printable(path);
  try {
    certify_file(on, options, domain, result);
  } catch (sigmax::error const& e) {
    result.problem = e.what();
    // Errors of the proof itself do not know the file.
    if (!result.problem.starts_with(text)) result.problem = text + ": " + result.problem;
  } catch (std::bad_alloc const&) {
    result.problem = text + ": the memory of this machine does not suffice";
  } catch (std::exception const& e) {
    result.problem = text + ": internal error: " + e.what();
  }
  return result;
}

/// A page of one certificate, or one that compares them. Nothing is written where nothing was proved.
void write_page(arguments const& options, std::vector<outcome> const& outcomes) {
  auto const architecture = sigmax::cpu::native().architecture();
  auto const title = [](outcome const& each) { return std::filesystem::path(each.path).filename().string(); };
  if (outcomes.size() == 1) {
    if (outcomes.front().proof) {
      report::write_report(*outcomes.front().proof, options.html, title(outcomes.front()), architecture);
    }
    return;
  }
  std::vector<report::compared_model> models;
  bool any = false;
  for (outcome const& each : outcomes) {
    any = any || each.proof;
    models.push_back({title(each), each.proof ? &*each.proof : nullptr, each.problem});
  }
  if (any) report::write_comparison(models, options.html, architecture);
}

/// Writes to a stream and makes sure that it got there. @throws sigmax::format_error if it did not.
void print(std::FILE* stream, std::string const& text) {
  if (std::fwrite(text.data(), 1, text.size(), stream) != text.size() || std::fflush(stream) != 0) {
    throw sigmax::format_error("cannot write to standard output");
  }
}

void complain(std::string const& problem) { fmt::print(stderr, "sigmax-certify: {}\n", problem); }

int run(arguments const& options) {
  programs::thread_pool pool(options.threads);
  sigmax::cpu::native const on(pool.workers());
  auto const domain = read_domain(options);
  std::FILE* const table = options.json == "-" ? stderr : stdout;
  bool const several = options.models.size() > 1;
  std::vector<outcome> outcomes;
  auto all = nlohmann::ordered_json::array();
  int status = 0;
  for (auto const& path : options.models) {
    outcomes.push_back(outcome_of(on, path, options, domain));
    outcome const& last = outcomes.back();
    status = std::max(status, last.status);
    if (!last.table.empty()) {
      print(table, (several ? sigmax::io::printable(path) + "\n" : "") + last.table +
                       fmt::format("{:.2f} s, sigmax {}, {}\n", last.json["seconds"].get<double>(), sigmax::version,
                                   sigmax::cpu::native().architecture()) +
                       (several ? "\n" : ""));
    }
    if (!last.problem.empty()) complain(last.problem);
    if (!last.json.is_null()) all.push_back(last.json);
  }
  if (several) print(table, comparison(outcomes));

  if (!options.html.empty()) write_page(options, outcomes);
  if (!options.json.empty() && (several || !all.empty())) {
    auto const text =
        (several ? all : all.front()).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    if (options.json == "-") {
      print(stdout, text + "\n");
    } else {
      sigmax::io::write_file(options.json, text + "\n");
    }
  }
  return status;
}

}  // namespace

}  // namespace certify_program

int main(int argc, char** argv) {
  using namespace certify_program;
  try {
    auto const parsed = parse_arguments(argc, argv);
    if (auto const* done = std::get_if<finished>(&parsed)) {
      print(done->status == 0 ? stdout : stderr, done->status == 0 ? done->text : done->text + "\n");
      return done->status;
    }
    return run(std::get<arguments>(parsed));
  } catch (std::exception const& e) {
    complain(e.what());
    return 2;
  }
}
