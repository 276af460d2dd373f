package peer;

import io.modelcontextprotocol.client.McpAsyncClient;
import io.modelcontextprotocol.client.McpClient;
import io.modelcontextprotocol.client.transport.HttpClientSseClientTransport;
import io.modelcontextprotocol.client.transport.HttpClientStreamableHttpTransport;
import io.modelcontextprotocol.client.transport.ServerParameters;
import io.modelcontextprotocol.client.transport.StdioClientTransport;
import io.modelcontextprotocol.spec.McpClientTransport;
import io.modelcontextprotocol.spec.McpError;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.ClientCapabilities;
import io.modelcontextprotocol.spec.McpSchema.Implementation;
import io.modelcontextprotocol.spec.McpSchema.LoggingLevel;
import io.modelcontextprotocol.spec.McpSchema.Root;
import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * A client on the Java SDK that works through one session and writes down the truth about it:
 * --transport stdio|http|sse [--url URL] [-- SERVER CMD...]. The SDK speaks the legacy era alone.
 */
public final class Client {
	private final Truth truth = new Truth("client");
	private final AtomicInteger keys = new AtomicInteger();
	private McpAsyncClient client;

	private Client() throws Exception {}

	public static void main(String[] argv) throws Exception {
		Args args = Args.of(argv);
		if (!args.get("--era", "legacy").equals("legacy")) {
			throw new IllegalArgumentException("no era but legacy");
		}
		new Client().run(args);
		System.exit(0);
	}

	private McpClientTransport transport(String kind, Args args) {
		Tap tap = new Tap(truth);
		if (kind.equals("stdio")) {
			var server = ServerParameters.builder(args.command().get(0)).env(System.getenv())
					.args(args.command().subList(1, args.command().size())).build();
			var stdio = new StdioClientTransport(server, tap);
			stdio.setStdErrorHandler(System.err::println);
			return stdio;
		}
		URI url = URI.create(args.get("--url", ""));
		String base = url.resolve("/").toString();
		if (kind.equals("http")) {
			return HttpClientStreamableHttpTransport.builder(base).endpoint(url.getPath()).jsonMapper(tap)
					.customizeClient(Trust::add).build();
		}
		return HttpClientSseClientTransport.builder(base).sseEndpoint(url.getPath()).jsonMapper(tap).build();
	}

	private void run(Args args) {
		String kind = args.get("--transport", "stdio");
		client = McpClient.async(transport(kind, args))
				.clientInfo(new Implementation("truth-java", "1"))
				.capabilities(ClientCapabilities.builder().roots(false).build())
				.roots(new Root("file:///tmp", "tmp"))
				.build();
		if (!ask("initialize", null, null, client.initialize()).equals("ok")) {
			throw new IllegalStateException("no session");
		}
		work(kind.equals("stdio") ? 5_000_000 : 1_000_000);
		if (kind.equals("stdio")) {
			// Never answered, since the server ends with its pipes. Over HTTP it would be, unheard.
			call("slow", Map.of("ms", 5000), Duration.ofMillis(100));
		}
		client.closeGracefully().block(Duration.ofSeconds(10));
	}

	private void work(int big) {
		ask("ping", null, null, client.ping());
		ask("logging/setLevel", null, null, client.setLoggingLevel(LoggingLevel.DEBUG));
		ask("tools/list", null, null, client.listTools(null));
		call("echo", Map.of("text", "grüß dich, 世界 🌍"));
		call("fail", Map.of());
		call("no_such_tool", Map.of());
		call("echo", Map.of("text", "0123456789abcdef".repeat(400_000 / 16)));
		call("big", Map.of("bytes", big));
		call("slow", Map.of("ms", 200));
		Flux.range(0, 8).flatMap(i -> Mono.fromRunnable(() -> call("slow", Map.of("ms", 20)))
				.subscribeOn(Schedulers.boundedElastic())).blockLast();
		call("roots", Map.of());
		call("echo", Map.of("text", "last"));
	}

	private void call(String tool, Map<String, Object> args) {
		call(tool, args, Duration.ofMinutes(1));
	}

	private void call(String tool, Map<String, Object> args, Duration patience) {
		int n = keys.incrementAndGet();
		String key = "java-" + ProcessHandle.current().pid() + "-" + n;
		Map<String, Object> keyed = new HashMap<>(args);
		keyed.put("key", key);
		var request = CallToolRequest.builder(tool).arguments(keyed).progressToken("token-" + n).build();
		ask("tools/call", tool, key, client.callTool(request).timeout(patience));
	}

	/** Outcomes are judged by who reads the truth. */
	private String ask(String method, String tool, String key, Mono<?> asked) {
		long start = System.nanoTime();
		String outcome;
		try {
			outcome = asked.block() instanceof CallToolResult r && Boolean.TRUE.equals(r.isError()) ? "tool_error" : "ok";
		} catch (RuntimeException e) {
			outcome = outcome(Exceptions.unwrap(e));
		}
		truth.call(method, tool, key, outcome, start);
		return outcome;
	}

	/** The SDK tells no server that it stopped waiting. */
	private static String outcome(Throwable e) {
		if (e instanceof TimeoutException) {
			return "unanswered";
		}
		return e instanceof McpError ? "rpc_error" : "http_error";
	}
}
