package peer;

import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.McpSyncServerExchange;
import io.modelcontextprotocol.server.transport.HttpServletStreamableServerTransportProvider;
import io.modelcontextprotocol.server.transport.StdioServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema.CallToolRequest;
import io.modelcontextprotocol.spec.McpSchema.CallToolResult;
import io.modelcontextprotocol.spec.McpSchema.LoggingLevel;
import io.modelcontextprotocol.spec.McpSchema.LoggingMessageNotification;
import io.modelcontextprotocol.spec.McpSchema.ProgressNotification;
import io.modelcontextprotocol.spec.McpSchema.ServerCapabilities;
import io.modelcontextprotocol.spec.McpSchema.Tool;
import jakarta.servlet.Servlet;
import java.util.List;
import java.util.Map;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;

/**
 * A server on the Java SDK that writes down the truth about itself: --transport stdio|http [--port N]. Not the
 * old SSE: there the SDK 2.1.0 writes answers from several threads into one response and loses some.
 */
public final class Server {
	private static final List<String> TOOLS = List.of("echo", "fail", "slow", "big", "roots");

	private final Truth truth = new Truth("server");
	private final Tap tap = new Tap(truth);

	private Server() throws Exception {}

	public static void main(String[] argv) throws Exception {
		Args args = Args.of(argv);
		new Server().run(args.get("--transport", "stdio"), Integer.parseInt(args.get("--port", "0")));
	}

	private void run(String transport, int port) throws Exception {
		switch (transport) {
			case "stdio" -> tools(McpServer.sync(new StdioServerTransportProvider(tap))).build();
			case "http" -> {
				var http = HttpServletStreamableServerTransportProvider.builder().jsonMapper(tap)
						.mcpEndpoint("/mcp").build();
				tools(McpServer.sync(http)).build();
				listen(http, port);
			}
			default -> throw new IllegalArgumentException("no transport " + transport);
		}
	}

	private static void listen(Servlet servlet, int port) throws Exception {
		Tomcat tomcat = new Tomcat();
		// First of all, or Tomcat makes a folder where it stands.
		tomcat.setBaseDir(System.getProperty("java.io.tmpdir"));
		Connector connector = new Connector();
		connector.setPort(port);
		connector.setProperty("address", "127.0.0.1");
		if (System.getenv("TLS_CERT") != null) {
			secure(connector);
		}
		tomcat.setConnector(connector);
		var context = tomcat.addContext("", null);
		Tomcat.addServlet(context, "mcp", servlet).setAsyncSupported(true);
		context.addServletMappingDecoded("/*", "mcp");
		tomcat.start();
		System.err.println("listening " + connector.getLocalPort());
		tomcat.getServer().await();
	}

	private static void secure(Connector connector) {
		SSLHostConfig host = new SSLHostConfig();
		var certificate = new SSLHostConfigCertificate(host, SSLHostConfigCertificate.Type.UNDEFINED);
		certificate.setCertificateFile(System.getenv("TLS_CERT"));
		certificate.setCertificateKeyFile(System.getenv("TLS_KEY"));
		host.addCertificate(certificate);
		connector.addSslHostConfig(host);
		connector.setSecure(true);
		connector.setScheme("https");
		connector.setProperty("SSLEnabled", "true");
	}

	private <S extends McpServer.SyncSpecification<S>> McpServer.SyncSpecification<S> tools(
			McpServer.SyncSpecification<S> server) {
		server.serverInfo("truth-java", "1").jsonMapper(tap)
				.capabilities(ServerCapabilities.builder().tools(false).logging().build());
		for (String name : TOOLS) {
			server.toolCall(Tool.builder(name, Map.of("type", "object")).build(), this::call);
		}
		return server;
	}

	private CallToolResult call(McpSyncServerExchange exchange, CallToolRequest request) {
		long start = System.nanoTime();
		try {
			String text = answer(exchange, request);
			return CallToolResult.builder().addTextContent(text).isError(false).build();
		} catch (RuntimeException e) {
			return CallToolResult.builder().addTextContent(e.getMessage()).isError(true).build();
		} finally {
			truth.handler(request.name(), request.arguments().get("key"), start);
		}
	}

	private String answer(McpSyncServerExchange exchange, CallToolRequest request) {
		Map<String, Object> args = request.arguments();
		return switch (request.name()) {
			case "echo" -> (String) args.get("text");
			case "big" -> "x".repeat((Integer) args.get("bytes"));
			case "slow" -> slow(exchange, request, (Integer) args.get("ms"));
			case "roots" -> roots(exchange);
			default -> throw new IllegalStateException("failed as asked");
		};
	}

	private static String slow(McpSyncServerExchange exchange, CallToolRequest request, int ms) {
		try {
			Thread.sleep(ms);
		} catch (InterruptedException e) {
			throw new IllegalStateException("cancelled");
		}
		exchange.loggingNotification(LoggingMessageNotification.builder(LoggingLevel.INFO, "awake").build());
		Object token = request.meta() == null ? null : request.meta().get("progressToken");
		if (token != null) {
			exchange.progressNotification(ProgressNotification.builder(token, 1).build());
		}
		return "slept";
	}

	/** Asks back: a request from server to client. */
	private String roots(McpSyncServerExchange exchange) {
		long start = System.nanoTime();
		String outcome = "rpc_error";
		try {
			int n = exchange.listRoots().roots().size();
			outcome = "ok";
			return Integer.toString(n);
		} finally {
			truth.call("roots/list", null, null, outcome, start);
		}
	}
}
