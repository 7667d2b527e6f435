import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.ext.bridge.BridgeOptions;
import io.vertx.ext.bridge.PermittedOptions;
import io.vertx.ext.eventbus.bridge.tcp.TcpEventBusBridge;
import java.net.ServerSocket;

/** The TCP bridge of Vert.x with the servers that tcp.json names: one line `name port` for each. */
public final class TcpReference {
  public static void main(String[] args) throws Exception {
    Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    Services.install(vertx);
    listen(vertx, "open", new BridgeOptions().addInboundPermitted(new PermittedOptions())
        .addOutboundPermitted(new PermittedOptions()));
    listen(vertx, "default", new BridgeOptions());
    listen(vertx, "rules", new BridgeOptions()
        .addInboundPermitted(new PermittedOptions().setAddress("in"))
        .addInboundPermitted(new PermittedOptions().setAddressRegex("service\\..+"))
        .addOutboundPermitted(new PermittedOptions().setAddress("in"))
        .addOutboundPermitted(new PermittedOptions().setAddress("out")));
  }

  private static void listen(Vertx vertx, String name, BridgeOptions options) throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    TcpEventBusBridge.create(vertx, options).listen(port)
        .toCompletionStage().toCompletableFuture().get();
    System.out.println(name + " " + port);
  }
}
