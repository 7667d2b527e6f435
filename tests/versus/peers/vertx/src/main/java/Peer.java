// Vert.x's SockJS bridge as its documentation sets it up: anything may pass, in both directions.

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.bridge.PermittedOptions;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.handler.sockjs.SockJSBridgeOptions;
import io.vertx.ext.web.handler.sockjs.SockJSHandler;

public final class Peer {
  public static void main(String[] args) {
    int port = args.length > 0 ? Integer.parseInt(args[0]) : 0;
    Vertx vertx = Vertx.vertx();
    vertx.eventBus().consumer("echo", message -> message.reply(message.body()));
    PermittedOptions anything = new PermittedOptions().setAddressRegex(".*");
    SockJSBridgeOptions options = new SockJSBridgeOptions()
        .addInboundPermitted(anything)
        .addOutboundPermitted(anything)
        // The idle connections of the load do not ping.
        .setPingTimeout(600_000);
    Router router = Router.router(vertx);
    // What is posted by the polling transports; WebSockets pass it by.
    router.post("/eventbus/*").handler(BodyHandler.create(false));
    router.route("/eventbus/*").subRouter(SockJSHandler.create(vertx).bridge(options));
    vertx.createHttpServer(new HttpServerOptions().setAcceptBacklog(4096))
        .requestHandler(router)
        .listen(port, "127.0.0.1")
        .onSuccess(server ->
            System.out.println("ready http://127.0.0.1:" + server.actualPort() + "/eventbus"))
        .onFailure(failure -> {
          failure.printStackTrace();
          System.exit(1);
        });
  }
}
