import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;

/** The consumers on the server's side of the conversations; services.rs has the same. */
final class Services {
  private static final DeliveryOptions QUICK = new DeliveryOptions().setSendTimeout(400);

  private Services() {}

  static void install(Vertx vertx) {
    EventBus bus = vertx.eventBus();
    bus.consumer("service.echo", m -> m.reply(m.body(), new DeliveryOptions().setHeaders(m.headers())));
    bus.consumer("service.void", m -> m.reply(null));
    bus.consumer("service.fail", m -> m.fail(1234, "no tea today"));
    bus.consumer("service.fail_without_text", m -> m.fail(7, null));
    bus.consumer("service.silent", m -> {});
    bus.consumer("service.several", m -> m.reply("here", new DeliveryOptions()
        .addHeader("tea", "green").addHeader("tea", "black").addHeader("sugar", "no")));
    bus.consumer("service.chain", m -> m.replyAndRequest("first", QUICK).onComplete(
        second -> second.reply("last: " + second.body()),
        failure -> bus.publish("outcome", outcome(failure))));
    bus.consumer("service.ask", m -> ask(bus, m));
  }

  /** Requests the body's address with the body's question, and publishes what came of it. */
  private static void ask(EventBus bus, Message<Object> message) {
    JsonObject body = (JsonObject) message.body();
    bus.request(body.getString("address"), body.getValue("question"), QUICK).onComplete(
        answer -> bus.publish("outcome", new JsonObject().put("answer", answer.body())),
        failure -> bus.publish("outcome", outcome(failure)));
  }

  private static JsonObject outcome(Throwable failure) {
    ReplyException reply = (ReplyException) failure;
    return new JsonObject().put("failed", reply.failureType().name()).put("code", reply.failureCode());
  }
}
