import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.bridge.PermittedOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.sockjs.SockJSBridgeOptions;
import io.vertx.ext.web.handler.sockjs.SockJSHandler;
import java.util.Map;
import java.util.TreeMap;

/** The SockJS bridge of Vert.x with the servers that conversations.json names, one per path. */
public final class SockJsReference {
  public static void main(String[] args) throws Exception {
    Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    Services.install(vertx);
    Router router = Router.router(vertx);
    servers().forEach((name, options) ->
        router.route("/" + name + "/*").subRouter(SockJSHandler.create(vertx).bridge(options)));
    int port = vertx.createHttpServer().requestHandler(router).listen(0)
        .toCompletionStage().toCompletableFuture().get().actualPort();
    System.out.println(port);
  }

  private static SockJSBridgeOptions open() {
    return new SockJSBridgeOptions().addInboundPermitted(new PermittedOptions())
        .addOutboundPermitted(new PermittedOptions());
  }

  private static PermittedOptions address(String address) {
    return new PermittedOptions().setAddress(address);
  }

  private static PermittedOptions regex(String regex) {
    return new PermittedOptions().setAddressRegex(regex);
  }

  private static Map<String, SockJSBridgeOptions> servers() {
    Map<String, SockJSBridgeOptions> servers = new TreeMap<>();
    servers.put("open", open());
    servers.put("default", new SockJSBridgeOptions());
    servers.put("small", open().setMaxHandlersPerSocket(3).setMaxAddressLength(10));
    servers.put("impatient", open().setReplyTimeout(400));
    servers.put("idle", open().setPingTimeout(300));
    servers.put("rules", new SockJSBridgeOptions()
        .addInboundPermitted(address("in"))
        .addInboundPermitted(regex("in\\..+"))
        .addInboundPermitted(address("tea").setMatch(new JsonObject()
            .put("kind", "tea").put("cup", new JsonObject().put("size", 1))))
        .addInboundPermitted(regex("service\\..+"))
        .addOutboundPermitted(address("out"))
        .addOutboundPermitted(regex("out\\..+"))
        .addOutboundPermitted(address("in"))
        .addOutboundPermitted(address("tea").setMatch(new JsonObject().put("for", "all"))));
    servers.put("guarded", new SockJSBridgeOptions()
        .addInboundPermitted(address("vault").setRequiredAuthority("key"))
        .addInboundPermitted(new PermittedOptions())
        .addOutboundPermitted(address("open.vault")));
    servers.put("inbound_only", new SockJSBridgeOptions().addInboundPermitted(new PermittedOptions()));
    servers.put("outbound_only", new SockJSBridgeOptions()
        .addInboundPermitted(address("service.ask")).addOutboundPermitted(new PermittedOptions()));
    return servers;
  }
}
